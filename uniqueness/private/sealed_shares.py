"""Shares on their way to a party: HPKE (RFC 9180), so that only that party opens them.

X25519, HKDF-SHA256, AES-256-GCM, in the base mode, with a fresh ephemeral key for each share. The
seal is bound to the party, the batch and the row: a share that is sent to another, or a second time
elsewhere, does not open.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from uniqueness.errors import ShareRefused
from uniqueness.private.shares import RING_BYTES, Share

SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
OVERHEAD: Final = 32 + 16  # bytes: the ephemeral key and the tag


def seal_share(share: Share, key: X25519PublicKey, *, party: int, batch: str, row: int) -> bytes:
    """Seal a share to the party with that key and index."""
    return SUITE.encrypt(share.to_bytes(), key, _place(party, batch, row))


def open_share(
    sealed: bytes, key: X25519PrivateKey, *, party: int, batch: str, row: int, dimension: int
) -> Share:
    """Open what `seal_share` made for this place.

    Raises:
        ShareRefused: for another party, batch or row, altered, or of another length.
    """
    if len(sealed) != OVERHEAD + 2 * RING_BYTES * dimension:
        raise ShareRefused(f"row {row} is no share of a template of {dimension} values")
    try:
        return Share.from_bytes(SUITE.decrypt(sealed, key, _place(party, batch, row)))
    except (InvalidTag, ValueError):
        raise ShareRefused(
            f"the share of row {row} does not open here: it was altered, or sealed for another "
            "party, batch or row"
        ) from None


def _place(party: int, batch: str, row: int) -> bytes:
    return f"personhood share v1\0{party}\0{row}\0{batch}".encode()
