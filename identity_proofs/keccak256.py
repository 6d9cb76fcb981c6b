"""Keccak-256 as Ethereum uses it: the Keccak submission's padding, not FIPS 202's (hashlib's).

Bertoni et al., "The Keccak reference", 2011. For the few words of a proof; libraries that have it
take longer to import than a proof takes to make.
"""

from collections.abc import Iterator

_RATE_BYTES = 136
_DIGEST_BYTES = 32
_ROUNDS = 24
_WORD = (1 << 64) - 1


def keccak256(data: bytes) -> bytes:
    """Hash any bytes to 32."""
    padded = bytearray(data) + bytes(_RATE_BYTES - len(data) % _RATE_BYTES)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    state = [0] * 25  # lane (x, y) at x + 5 y
    for start in range(0, len(padded), _RATE_BYTES):
        for lane in range(_RATE_BYTES // 8):
            at = start + 8 * lane
            state[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        state = _permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state)[:_DIGEST_BYTES]


def _permute(state: list[int]) -> list[int]:
    for constant in _ROUND_CONSTANTS:
        # theta
        columns = [
            state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20]
            for x in range(5)
        ]
        parity = [columns[x - 1] ^ _rotate(columns[(x + 1) % 5], 1) for x in range(5)]
        # rho and pi
        moved = [0] * 25
        for i, lane in enumerate(state):
            x, y = i % 5, i // 5
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = _rotate(lane ^ parity[x], _ROTATIONS[i])
        # chi
        state = [
            moved[i] ^ (~moved[i - x + (x + 1) % 5] & moved[i - x + (x + 2) % 5])
            for i, x in ((i, i % 5) for i in range(25))
        ]
        # iota
        state[0] ^= constant
    return state


def _rotate(lane: int, places: int) -> int:
    return (lane << places | lane >> (64 - places)) & _WORD


def _rotations() -> list[int]:
    rotations = [0] * 25
    x, y = 1, 0
    for step in range(24):
        rotations[x + 5 * y] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return rotations


def _round_constants() -> Iterator[int]:
    """Bits of the LFSR x^8 + x^6 + x^5 + x^4 + 1, at the places 2^j - 1 of each word."""
    state = 1
    for _ in range(_ROUNDS):
        constant = 0
        for j in range(7):
            constant |= (state & 1) << ((1 << j) - 1)
            state = state << 1 ^ (0x171 if state >> 7 else 0)
        yield constant


_ROTATIONS = _rotations()
_ROUND_CONSTANTS = tuple(_round_constants())
