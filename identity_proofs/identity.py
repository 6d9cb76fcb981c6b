"""A Semaphore v4 identity: private key, secret scalar, public key, commitment, signatures.

It exchanges keys with the JavaScript SDK: `export()` here is `Identity.export()` there.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from functools import cached_property

from identity_proofs import baby_jubjub
from identity_proofs.blake512 import blake512
from identity_proofs.errors import InvalidPrivateKey
from identity_proofs.field import SCALAR_FIELD, SUBGROUP_ORDER
from identity_proofs.poseidon import poseidon
from identity_proofs.proof import to_field

PRIVATE_KEY_BYTES = 32


@dataclass(frozen=True)
class Signature:
    """An EdDSA-Poseidon signature: a point `r8` of Baby Jubjub and `s` in [0, l)."""

    r8: baby_jubjub.Point
    s: int


class Identity:
    """Holds a private key. Its `repr` and `str` show the public commitment only."""

    def __init__(self, private_key: bytes) -> None:
        self._private_key = private_key
        # BLAKE-512, then pruned as in RFC 8032: the low half becomes the scalar.
        digest = blake512(private_key)
        scalar = bytearray(digest[:32])
        scalar[0] &= 0xF8
        scalar[31] &= 0x7F
        scalar[31] |= 0x40
        self._signing_scalar = int.from_bytes(scalar, "little")
        self._nonce_key = digest[32:]

    @classmethod
    def generate(cls) -> "Identity":
        """Make a new identity from 32 bytes of the system's secure randomness."""
        return cls(secrets.token_bytes(PRIVATE_KEY_BYTES))

    @classmethod
    def from_private_key(cls, private_key: bytes) -> "Identity":
        """Use these bytes, of any length, as the private key (for text: its UTF-8 bytes)."""
        return cls(bytes(private_key))

    @classmethod
    def from_export(cls, text: str) -> "Identity":
        """Read what `export` wrote, here or in the JavaScript SDK.

        Raises `InvalidPrivateKey` if the text is not base64.
        """
        try:
            return cls(base64.b64decode(text.strip(), validate=True))
        except (binascii.Error, ValueError):
            # `from None`: the cause could quote the secret.
            raise InvalidPrivateKey(
                "The exported identity is not base64; copy it again, whole."
            ) from None

    def export(self) -> str:
        """Return the private key as base64. Whoever reads it owns the identity."""
        return base64.b64encode(self._private_key).decode("ascii")

    @property
    def private_key(self) -> bytes:
        """The private key's bytes. Whoever reads them owns the identity."""
        return self._private_key

    @cached_property
    def secret_scalar(self) -> int:
        """The circuit's secret input, in [0, l)."""
        return (self._signing_scalar >> 3) % SUBGROUP_ORDER

    @cached_property
    def public_key(self) -> baby_jubjub.Point:
        """The secret scalar times Baby Jubjub's base point."""
        return baby_jubjub.multiply_base(self.secret_scalar)

    @cached_property
    def commitment(self) -> int:
        """The public identity commitment: Poseidon of the public key, in [0, r)."""
        return poseidon(self.public_key)

    def nullifier(self, scope: int) -> int:
        """This identity's nullifier in a scope: Poseidon of the hashed scope and the secret.

        The same for every proof of this identity in `scope`, an integer in [0, 2^256), and not
        linkable to its commitment or to its nullifier in another scope.
        """
        return poseidon((to_field(scope), self.secret_scalar))

    def sign(self, message: int) -> Signature:
        """Sign an integer in [0, r) with EdDSA-Poseidon, deterministically.

        Raises `ValueError` if the message is out of range.
        """
        if not 0 <= message < SCALAR_FIELD:
            raise ValueError("the message to sign must be in [0, r)")
        seed = blake512(self._nonce_key + message.to_bytes(32, "little"))
        nonce = int.from_bytes(seed, "little") % SUBGROUP_ORDER
        r8 = baby_jubjub.multiply_base(nonce)
        challenge = poseidon((*r8, *self.public_key, message))
        return Signature(r8, (nonce + challenge * self._signing_scalar) % SUBGROUP_ORDER)

    def __repr__(self) -> str:
        return f"Identity(commitment={self.commitment})"


def verify_signature(public_key: baby_jubjub.Point, message: int, signature: Signature) -> bool:
    """Tell whether `signature` over `message` was made with `public_key`'s private key.

    False too for points off the curve, a public key of small order, `s` >= l, and a message
    outside [0, r).
    """
    in_range = 0 <= signature.s < SUBGROUP_ORDER and 0 <= message < SCALAR_FIELD
    on_curve = baby_jubjub.is_on_curve(public_key) and baby_jubjub.is_on_curve(signature.r8)
    if not (in_range and on_curve):
        return False
    challenge = poseidon((*signature.r8, *public_key, message))
    key8, left, key = baby_jubjub.multiply_each(
        [
            (public_key, 8),
            (baby_jubjub.BASE, signature.s),
            (public_key, 8 * (challenge % SUBGROUP_ORDER)),  # a key's order divides 8 l
        ]
    )
    return key8 != baby_jubjub.IDENTITY and left == baby_jubjub.add(signature.r8, key)
