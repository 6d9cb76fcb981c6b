"""What a wallet shows a kiosk: a commitment, and proof of knowing the secret behind it.

The wallet signs the kiosk's one-time challenge with EdDSA-Poseidon. Whoever enrols a commitment
therefore holds it, and a statement that was overheard is of no use at the next challenge.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Self

from identity_proofs.baby_jubjub import IDENTITY, Point, multiply
from identity_proofs.errors import InvalidStatement
from identity_proofs.field import SUBGROUP_ORDER
from identity_proofs.identity import Identity, Signature, verify_signature
from identity_proofs.poseidon import poseidon

PREFIX = "personhood-enrol:1:"
_DOMAIN = b"personhood enrolment statement 1\0"
_NUMBER_BYTES = 32
_NUMBERS = 5  # public key x, y; signature R8 x, R8 y, S
_MAX_CHARACTERS = 1024


@dataclass(frozen=True)
class EnrollmentStatement:
    """A public key of Baby Jubjub and its signature over a challenge, not verified yet.

    Args:
        public_key: affine point; the identity commitment is its Poseidon hash.
        signature: over `challenge_message` of the kiosk's challenge.
    """

    public_key: Point
    signature: Signature

    @classmethod
    def sign(cls, identity: Identity, challenge: str) -> Self:
        """State, with the wallet's secret, that this identity answers this challenge."""
        return cls(identity.public_key, identity.sign(challenge_message(challenge)))

    def commitment_for(self, challenge: str) -> int:
        """Verify the statement against the challenge that was asked.

        Returns:
            The identity commitment, in [1, r), whose secret the signer knows.

        Raises:
            InvalidStatement: the signature is another challenge's, or another key's.
        """
        signed = verify_signature(self.public_key, challenge_message(challenge), self.signature)
        # A key with a part of small order signs as well, but no circuit would ever accept it.
        if not signed or multiply(self.public_key, SUBGROUP_ORDER) != IDENTITY:
            raise InvalidStatement(
                "The wallet's statement does not answer this kiosk's challenge. Make a new one "
                "with the challenge that the kiosk shows now."
            )
        return poseidon(self.public_key)

    def to_text(self) -> str:
        """Write the statement as ASCII, for a QR code: 233 characters."""
        numbers = (*self.public_key, *self.signature.r8, self.signature.s)
        content = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in numbers)
        return PREFIX + base64.urlsafe_b64encode(content).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote; verifies nothing yet.

        Raises:
            InvalidStatement: it is not a statement, or cut off.
        """
        text = text.strip()
        if not text.startswith(PREFIX) or len(text) > _MAX_CHARACTERS:
            raise InvalidStatement(
                "This is not a wallet's statement. Run `personhood wallet statement` with the "
                "challenge that the kiosk shows, and scan or paste what it prints."
            )
        encoded = text.removeprefix(PREFIX)
        try:
            padded = encoded + "=" * (-len(encoded) % 4)
            content = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if len(content) != _NUMBERS * _NUMBER_BYTES:
            raise InvalidStatement("The wallet's statement is damaged or cut off. Copy it whole.")
        numbers = [
            int.from_bytes(content[start : start + _NUMBER_BYTES], "big")
            for start in range(0, len(content), _NUMBER_BYTES)
        ]
        return cls((numbers[0], numbers[1]), Signature((numbers[2], numbers[3]), numbers[4]))


def challenge_message(challenge: str) -> int:
    """Hash a challenge to what is signed: SHA-256 with a domain, less its last byte, so below r."""
    digest = hashlib.sha256(_DOMAIN + challenge.encode()).digest()
    return int.from_bytes(digest[:-1], "big")
