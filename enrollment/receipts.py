"""What a person takes home: the service's signed word that it accepted or deleted the wallet.

A compact JSON Web Signature (RFC 7515, `EdDSA` of RFC 8037), so that any JOSE library checks it
against the key set at /v1/keys (RFC 7517). It names the commitment and no person.
"""

from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from enrollment.errors import ReceiptInvalid
from enrollment.membership import MembershipChange
from enrollment.rows import Enrollment

ISSUER = "personhood enrolment"
_ALGORITHM = "EdDSA"
_HOUR = 3600
_ACCEPTED, _DELETED = "accepted", "deleted"


@dataclass(frozen=True)
class Receipt:
    """A checked receipt.

    Args:
        id: the enrolment's; of a deletion its place in the history of members.
        commitment: of the wallet that was accepted or deleted.
        hour: Unix seconds, rounded down to the hour, of what it says.
        event: `accepted` or `deleted`.
    """

    id: str
    commitment: int
    hour: int
    event: str


class ReceiptIssuer:
    """Signs receipts, and checks its own.

    Args:
        key: 32 random bytes, the service's Ed25519 private key.
    """

    def __init__(self, key: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self._public = self._key.public_key()
        public: dict[str, Any] = OKPAlgorithm.to_jwk(self._public, as_dict=True)
        self._id = public["x"][:16]

    @property
    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JSON Web Key Set."""
        public: dict[str, str] = OKPAlgorithm.to_jwk(self._public, as_dict=True)
        return {"keys": [public | {"kid": self._id, "alg": _ALGORITHM, "use": "sig"}]}

    def issue(self, enrollment: Enrollment, commitment: int) -> str:
        """Sign that a wallet was accepted, and in which hour; the same each time."""
        claims: dict[str, str | int] = {
            "iss": ISSUER,
            "jti": enrollment.id,
            "sub": str(commitment),
            "iat": int(enrollment.created_at.timestamp()) // _HOUR * _HOUR,
            "event": _ACCEPTED,
        }
        return self._sign(claims)

    def issue_deletion(self, removal: MembershipChange) -> str:
        """Sign that a wallet's holder was forgotten, and in which hour; the same each time."""
        claims: dict[str, str | int] = {
            "iss": ISSUER,
            "jti": f"removal {removal.sequence}",
            "sub": str(removal.commitment),
            "iat": removal.hour * _HOUR,
            "event": _DELETED,
        }
        return self._sign(claims)

    def _sign(self, claims: dict[str, str | int]) -> str:
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._id})

    def check(self, text: str) -> Receipt:
        """Check a receipt that somebody shows.

        Raises:
            ReceiptInvalid: it is not one that this key signed.
        """
        try:
            claims = jwt.decode(
                text,
                self._public,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                options={"require": ["iss", "jti", "sub", "iat"]},
            )
            event = claims.get("event", _ACCEPTED)  # earlier receipts said nothing else
            return Receipt(claims["jti"], int(claims["sub"]), claims["iat"], event)
        except (jwt.InvalidTokenError, ValueError):
            raise ReceiptInvalid("This receipt was not signed by this service.") from None
