"""The Poseidon hash over BN254's scalar field, as in circomlib.

Grassi et al., "Poseidon: A New Hash Function for Zero-Knowledge Proof Systems", USENIX Security
2021. The S-box is x^5; the width is one more than the number of inputs.
"""

from collections.abc import Sequence
from functools import cache
from operator import mul

from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import Kernel
from identity_proofs.poseidon_parameters import Vector, parameters

MAX_INPUTS = 5
_WORD = 32  # bytes of an element, little-endian


def poseidon(inputs: Sequence[int]) -> int:
    """Hash 1 to 5 integers in [0, r) to one in [0, r).

    Raises `ValueError` for another number of inputs or for one out of range.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {len(inputs)}")
    if not all(0 <= value < R for value in inputs):
        raise ValueError("Poseidon's inputs must be in [0, r)")
    p = parameters(len(inputs) + 1)
    state = [0, *inputs]
    for constants in p.first_rounds:
        state = _full_round(state, constants, p.mix)
    corner = p.mix[0][0]
    x, *lanes = state
    for partial in p.partial_rounds:
        x = _sbox(x + partial.constant)
        mixed = corner * x + sum(map(mul, partial.row, lanes))
        # No reduction: a lane only ever gains one product a round, so it stays short.
        lanes = [lane + x * factor for lane, factor in zip(lanes, partial.column, strict=True)]
        x = mixed % R
    state = [x, *(sum(map(mul, row, lanes)) for row in p.leave_basis)]
    for constants in p.last_rounds:
        state = _full_round(state, constants, p.mix)
    return state[0]


def poseidon_pair(left: int, right: int) -> int:
    """Hash two integers in [0, r) in the kernel: sooner, where the kernel runs anyhow."""
    pair = left.to_bytes(_WORD, "little") + right.to_bytes(_WORD, "little")
    return int.from_bytes(poseidon_pairs(pair), "little")


def poseidon_pairs(pairs: bytes) -> bytes:
    """Hash many pairs in the kernel, the step from one level of a tree to the next.

    `pairs` holds 64 bytes for each: two integers in [0, r), 32 bytes little-endian each. Returns
    32 bytes for each, in the same form. Raises `ValueError` for an integer out of range or bytes
    that are no whole number of pairs.
    """
    return _kernel().poseidon2(pairs)


def poseidon_pairs_reference(pairs: bytes) -> bytes:
    """Hash as `poseidon_pairs` does, twenty times slower, in plain Python alone."""
    if len(pairs) % (2 * _WORD):
        raise ValueError(f"Pairs have {2 * _WORD} bytes each; {len(pairs)} bytes are none")
    words = [int.from_bytes(pairs[at : at + _WORD], "little") for at in range(0, len(pairs), _WORD)]
    hashes = map(poseidon, zip(words[::2], words[1::2], strict=True))
    return b"".join(value.to_bytes(_WORD, "little") for value in hashes)


@cache
def _kernel() -> Kernel:
    return Kernel.load()


def _full_round(state: Vector, constants: Vector, mix: list[Vector]) -> Vector:
    boxed = [_sbox(x + c) for x, c in zip(state, constants, strict=True)]
    return [sum(map(mul, row, boxed)) % R for row in mix]


def _sbox(x: int) -> int:
    square = x * x % R
    return x * (square * square % R) % R
