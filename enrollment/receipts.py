"""What a person takes home: the service's signed word that it accepted or deleted the wallet.

A compact JSON Web Signature (RFC 7515, `EdDSA` of RFC 8037), so that any JOSE library checks it
against the key set at /v1/keys (RFC 7517). It names the commitment and no person, and says where
the decision log has it.
"""

from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from enrollment.errors import ReceiptInvalid
from enrollment.membership import MembershipChange
from enrollment.rows import Enrollment
from transparency.entry import SECONDS_PER_HOUR
from transparency.journal import Recorded

ISSUER = "personhood enrolment"
_ALGORITHM = "EdDSA"
ACCEPTED, DELETED = "accepted", "deleted"


@dataclass(frozen=True)
class Receipt:
    """A checked receipt.

    Args:
        id: random; the enrolment's, if it is of one.
        commitment: of the wallet that was accepted or deleted.
        hour: Unix seconds, rounded down to the hour, of what it says.
        logged: where the decision log has it.
        event: `accepted` or `deleted`.
    """

    id: str
    commitment: int
    hour: int
    logged: Recorded | None = None
    event: str = "accepted"


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
        hour = int(enrollment.created_at.timestamp()) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
        return self._sign(enrollment.id, commitment, hour, ACCEPTED, enrollment.logged)

    def issue_deletion(self, removal: MembershipChange) -> str:
        """Sign that a wallet's holder was forgotten, and in which hour; the same each time."""
        name, hour = f"removal {removal.sequence}", removal.hour * SECONDS_PER_HOUR
        return self._sign(name, removal.commitment, hour, DELETED, removal.logged)

    def _sign(
        self, name: str, commitment: int, hour: int, event: str, logged: Recorded | None
    ) -> str:
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "jti": name,
            "sub": str(commitment),
            "iat": hour,
            "event": event,
        }
        if logged:
            claims["log"] = {"index": logged.index, "leaf": logged.leaf_hash.hex()}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._id})

    def check(self, text: str) -> Receipt:
        """See `check_receipt`."""
        return check_receipt(text, self._public.public_bytes_raw())


def check_receipt(text: str, public_key: bytes) -> Receipt:
    """Check a receipt that somebody shows.

    Args:
        text: the compact form.
        public_key: the service's, 32 bytes.

    Raises:
        ReceiptInvalid: it is not one that this key signed.
    """
    try:
        claims = jwt.decode(
            text.strip(),
            Ed25519PublicKey.from_public_bytes(public_key),
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            options={"require": ["iss", "jti", "sub", "iat"]},
        )
        place = claims.get("log")
        logged = Recorded(int(place["index"]), bytes.fromhex(place["leaf"])) if place else None
        event = claims.get("event", ACCEPTED)  # earlier receipts said nothing else
        return Receipt(claims["jti"], int(claims["sub"]), claims["iat"], logged, event)
    except (jwt.InvalidTokenError, ValueError, TypeError, KeyError):
        raise ReceiptInvalid("This receipt was not signed by this service.") from None
