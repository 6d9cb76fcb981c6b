"""What a wallet shows the service: a commitment, and proof of knowing the secret behind it.

The wallet signs a one-time challenge with EdDSA-Poseidon. Whoever enrols a commitment therefore
holds it, and a statement that was overheard is of no use at the next challenge. What the statement
is for is part of what is signed: one made to enrol neither deletes nor replaces anybody.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from identity_proofs.baby_jubjub import IDENTITY, Point, multiply
from identity_proofs.errors import InvalidStatement
from identity_proofs.field import SUBGROUP_ORDER
from identity_proofs.identity import Identity, Signature, verify_signature
from identity_proofs.poseidon import poseidon_pair


class Purpose(StrEnum):
    """What a statement is made for."""

    ENROL = "enrol"
    RECOVER = "recover"  # enrolled before, with a wallet that is lost
    DELETE = "delete"
    FORGET_IMAGES = "forget-images"

    @property
    def prefix(self) -> str:
        """What the statement's text begins with."""
        return f"personhood-{self.value}:1:"


PREFIX = Purpose.ENROL.prefix
_DOMAINS = {
    Purpose.ENROL: b"personhood enrolment statement 1\0",
    Purpose.RECOVER: b"personhood recovery statement 1\0",
    Purpose.DELETE: b"personhood deletion statement 1\0",
    Purpose.FORGET_IMAGES: b"personhood forget images statement 1\0",
}
_NUMBER_BYTES = 32
_NUMBERS = 5  # public key x, y; signature R8 x, R8 y, S
_MAX_CHARACTERS = 1024


@dataclass(frozen=True)
class EnrollmentStatement:
    """A public key of Baby Jubjub and its signature over a challenge, not verified yet.

    Args:
        public_key: affine point; the identity commitment is its Poseidon hash.
        signature: over `challenge_message` of the service's challenge.
        purpose: what it is made for.
    """

    public_key: Point
    signature: Signature
    purpose: Purpose = Purpose.ENROL

    @classmethod
    def sign(cls, identity: Identity, challenge: str, purpose: Purpose = Purpose.ENROL) -> Self:
        """State, with the wallet's secret, that this identity answers this challenge."""
        signature = identity.sign(challenge_message(challenge, purpose))
        return cls(identity.public_key, signature, purpose)

    def commitment_for(self, challenge: str) -> int:
        """Verify the statement against the challenge that was asked.

        Returns:
            The identity commitment, in [1, r), whose secret the signer knows.

        Raises:
            InvalidStatement: the signature is another challenge's, or another key's.
        """
        message = challenge_message(challenge, self.purpose)
        signed = verify_signature(self.public_key, message, self.signature)
        # A key with a part of small order signs as well, but no circuit would ever accept it.
        if not signed or multiply(self.public_key, SUBGROUP_ORDER) != IDENTITY:
            raise InvalidStatement(
                "The wallet's statement does not answer this kiosk's challenge. Make a new one "
                "with the challenge that the kiosk shows now."
            )
        return poseidon_pair(*self.public_key)

    def to_text(self) -> str:
        """Write the statement as ASCII, for a QR code: 233 characters to enrol."""
        numbers = (*self.public_key, *self.signature.r8, self.signature.s)
        content = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in numbers)
        return self.purpose.prefix + base64.urlsafe_b64encode(content).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, purpose: Purpose = Purpose.ENROL) -> Self:
        """Read what `to_text` wrote; verifies nothing yet.

        Raises:
            InvalidStatement: it is not a statement of this purpose, or cut off.
        """
        text = text.strip()
        if not text.startswith(purpose.prefix) or len(text) > _MAX_CHARACTERS:
            raise InvalidStatement(_WRONG[purpose])
        encoded = text.removeprefix(purpose.prefix)
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
        return cls(
            (numbers[0], numbers[1]), Signature((numbers[2], numbers[3]), numbers[4]), purpose
        )


def challenge_message(challenge: str, purpose: Purpose = Purpose.ENROL) -> int:
    """Hash a challenge to what is signed: SHA-256 with a domain, less its last byte, so below r."""
    digest = hashlib.sha256(_DOMAINS[purpose] + challenge.encode()).digest()
    return int.from_bytes(digest[:-1], "big")


_WRONG = {
    Purpose.ENROL: "This is not a wallet's statement to enrol. Run `personhood wallet statement` "
    "with the challenge that the kiosk shows, and scan or paste what it prints.",
    Purpose.RECOVER: "This is not a wallet's statement to recover. Run `personhood wallet "
    "statement --recover` with the challenge that the kiosk shows, and scan or paste what it "
    "prints.",
    Purpose.DELETE: "This is not a wallet's statement to delete. Run `personhood wallet delete`.",
    Purpose.FORGET_IMAGES: "This is not a wallet's statement to forget pictures. Run `personhood "
    "wallet delete --images`.",
}
