"""BLAKE-512, the SHA-3 finalist of 2010 (16 rounds), which is neither BLAKE2 nor BLAKE3.

Aumasson, Henzen, Meier, Phan, "SHA-3 proposal BLAKE", version 1.3, 2010. Semaphore derives an
identity's secret scalar with it.
"""

import struct

_BLOCK_BYTES = 128
_LENGTH_BYTES = 16
_ROUNDS = 16
_MASK = (1 << 64) - 1

# SHA-512's initial value.
_IV = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip

# The first digits of pi.
_PI = (
    0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89,
    0x452821E638D01377, 0xBE5466CF34E90C6C, 0xC0AC29B7C97C50DD, 0x3F84D5B5B5470917,
    0x9216D5D98979FB1B, 0xD1310BA698DFB5AC, 0x2FFD72DBD01ADFB7, 0xB8E1AFED6A267E96,
    0xBA7C9045F12C7F99, 0x24A19947B3916CF7, 0x0801F2E2858EFC16, 0x636920D871574E69,
)  # fmt: skip

_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)

# The words each of a round's eight G functions works on: four columns, then four diagonals.
_LANES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def blake512(data: bytes) -> bytes:
    """Hash `data` of any length to 64 bytes, without a salt."""
    chain: tuple[int, ...] = _IV
    padded = _pad(data)
    for start in range(0, len(padded), _BLOCK_BYTES):
        # The counter is the number of message bits up to here, and 0 for a block of padding only.
        bits = 8 * min(start + _BLOCK_BYTES, len(data)) if start < len(data) else 0
        chain = _compress(chain, padded[start : start + _BLOCK_BYTES], bits)
    return struct.pack(">8Q", *chain)


def _pad(data: bytes) -> bytes:
    zeros = -(len(data) + 1 + _LENGTH_BYTES) % _BLOCK_BYTES
    padding = bytearray(1 + zeros)
    padding[0] = 0x80
    padding[-1] |= 0x01
    return data + padding + (8 * len(data)).to_bytes(_LENGTH_BYTES, "big")


def _compress(chain: tuple[int, ...], block: bytes, bits: int) -> tuple[int, ...]:
    message = struct.unpack(">16Q", block)
    low, high = bits & _MASK, bits >> 64
    counter = (low, low, high, high)
    v = [*chain, *_PI[:4], *(pi ^ t for pi, t in zip(_PI[4:8], counter, strict=True))]
    for round_number in range(_ROUNDS):
        sigma = _SIGMA[round_number % len(_SIGMA)]
        for i, lanes in enumerate(_LANES):
            x, y = sigma[2 * i], sigma[2 * i + 1]
            _mix(v, lanes, message[x] ^ _PI[y], message[y] ^ _PI[x])
    return tuple(h ^ a ^ b for h, a, b in zip(chain, v[:8], v[8:], strict=True))


def _mix(v: list[int], lanes: tuple[int, int, int, int], first: int, second: int) -> None:
    a, b, c, d = lanes
    for word, right_d, right_b in ((first, 32, 25), (second, 16, 11)):
        v[a] = (v[a] + v[b] + word) & _MASK
        v[d] = _rotate_right(v[d] ^ v[a], right_d)
        v[c] = (v[c] + v[d]) & _MASK
        v[b] = _rotate_right(v[b] ^ v[c], right_b)


def _rotate_right(word: int, bits: int) -> int:
    return (word >> bits | word << (64 - bits)) & _MASK
