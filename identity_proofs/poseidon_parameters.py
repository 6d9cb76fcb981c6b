"""Poseidon's round constants and mixing matrices, generated from the Grain LFSR.

Grassi et al., "Poseidon: A New Hash Function for Zero-Knowledge Proof Systems", USENIX Security
2021: appendix F (generation), appendix B (cheaper partial rounds).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, reduce
from itertools import chain, compress, islice
from operator import mul, xor

from identity_proofs.field import SCALAR_FIELD as R

Vector = list[int]
Matrix = list[Vector]

FULL_ROUNDS = 8
PARTIAL_ROUNDS = {2: 56, 3: 57, 4: 56, 5: 60, 6: 60}
"""Partial rounds by width (number of inputs + 1)."""

_FIELD_BITS = 254
_STATE_BITS = 80
_TAPS = (62, 51, 38, 23, 13, 0)
_WARM_UP_BITS = 160
_IS_ONE = bytes(character == ord("1") for character in range(256))


@dataclass(frozen=True)
class PartialRound:
    """One partial round in the basis where only the first lane is mixed into the others.

    `row` takes the other lanes into the first one, `column` the first one into the others.
    """

    constant: int
    row: Vector
    column: Vector


@dataclass(frozen=True)
class Parameters:
    """All that one width's permutation needs; `mix` is t x t."""

    mix: Matrix
    first_rounds: list[Vector]
    partial_rounds: list[PartialRound]
    leave_basis: Matrix
    """(t - 1) x (t - 1): brings lanes 1.. back to the ordinary basis after the partial rounds."""
    last_rounds: list[Vector]


@cache
def parameters(width: int) -> Parameters:
    """Generate the parameters of `width` lanes, 2 to 6 (some 0.03 s, then cached)."""
    partial = PARTIAL_ROUNDS[width]
    bits = _grain_bits(width, FULL_ROUNDS, partial)
    constants = [[_below_r(bits) for _ in range(width)] for _ in range(FULL_ROUNDS + partial)]
    mix = _cauchy_matrix(bits, width)
    half = FULL_ROUNDS // 2
    last_rounds = constants[half + partial :]
    lane_constants, rest = _gather_in_first_lane(mix, constants[half : half + partial])
    last_rounds[0] = _add(last_rounds[0], rest)
    rounds, leave_basis = _sparse_rounds(mix, lane_constants)
    return Parameters(mix, constants[:half], rounds, leave_basis, last_rounds)


def _grain_bits(width: int, full_rounds: int, partial_rounds: int) -> Iterator[str]:
    """Return the self-shrunk output of the 80-bit Grain LFSR as "0" and "1", without end.

    Of each pair of bits the second is output where the first is 1.
    """
    seed = [(1, 2), (0, 4), (_FIELD_BITS, 12), (width, 12), (full_rounds, 10), (partial_rounds, 10)]
    text = "".join(f"{value:0{size}b}" for value, size in seed) + "1" * 30
    blocks = _lfsr(int(text[::-1], 2))
    after_warm_up = next(blocks)[_STATE_BITS + _WARM_UP_BITS :]
    return chain.from_iterable(
        compress(bits[1::2], bits[0::2].encode().translate(_IS_ONE))
        for bits in chain([after_warm_up], blocks)
    )


def _lfsr(state: int) -> Iterator[str]:
    """Yield the LFSR's state, 80 bits, and all that follow, in blocks of even length.

    Bit n of `state` is the n-th oldest. Squaring the feedback polynomial shows that its relation
    also holds between bits 64 times as far apart, so 16 times 64 bits come at once.
    """

    def following(window: int, stride: int) -> int:
        taps = (window >> tap * stride for tap in _TAPS)
        return reduce(xor, taps) & ((1 << 16 * stride) - 1)

    length, stride = _STATE_BITS, 64
    while length < _STATE_BITS * stride:
        state |= following(state >> length - _STATE_BITS, 1) << length
        length += 16
    yield f"{state:0{length}b}"[::-1]
    while True:
        block = following(state, stride)
        state = state >> 16 * stride | block << length - 16 * stride
        yield f"{block:0{16 * stride}b}"[::-1]


def _number(bits: Iterator[str]) -> int:
    return int("".join(islice(bits, _FIELD_BITS)), 2)


def _below_r(bits: Iterator[str]) -> int:
    while (number := _number(bits)) >= R:
        pass
    return number


def _cauchy_matrix(bits: Iterator[str], width: int) -> Matrix:
    """1 / (x_i + y_j); the x and y are reduced, not rejected, as the reference does."""
    while True:
        numbers = [_number(bits) % R for _ in range(2 * width)]
        if len(set(numbers)) == len(numbers):
            break
    return [[pow(x + y, -1, R) for y in numbers[width:]] for x in numbers[:width]]


def _gather_in_first_lane(mix: Matrix, constants: list[Vector]) -> tuple[Vector, Vector]:
    """Move each partial round's constants into its first lane.

    Lanes 1.. are linear there, so what they would add is carried through `mix` into the next
    round; the last round's carry is returned beside the first lane's constants.
    """
    first_lane, carry = [], [0] * len(mix)
    for constant in constants:
        first, *others = _add(constant, carry)
        first_lane.append(first)
        carry = _apply(mix, [0, *others])
    return first_lane, carry


def _sparse_rounds(mix: Matrix, constants: Vector) -> tuple[list[PartialRound], Matrix]:
    """Rewrite mixing by M = [[m, v], [w, H]] so that it costs 2t - 1 products instead of t^2.

    With lanes u = H^k p before partial round k, the round is
    x' = m x + (v H^k) p and p' = p + (H^-(k+1) w) x; after the last, u = H^rounds p.
    """
    v = mix[0][1:]
    w = [row[0] for row in mix[1:]]
    inner = [row[1:] for row in mix[1:]]
    inverse = _invert(inner)
    leave_basis = [[int(i == j) for j in range(len(inner))] for i in range(len(inner))]
    rounds = []
    for constant in constants:
        w = _apply(inverse, w)
        rounds.append(PartialRound(constant, v, w))
        v = _apply(_transpose(inner), v)
        leave_basis = [_apply(_transpose(inner), row) for row in leave_basis]
    return rounds, leave_basis


def _add(a: Vector, b: Vector) -> Vector:
    return [(x + y) % R for x, y in zip(a, b, strict=True)]


def _apply(matrix: Matrix, vector: Vector) -> Vector:
    return [sum(map(mul, row, vector)) % R for row in matrix]


def _transpose(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def _invert(matrix: Matrix) -> Matrix:
    """Gauss-Jordan; no minor of a Cauchy matrix is zero, so no pivot is."""
    size = len(matrix)
    rows = [row + [int(i == j) for j in range(size)] for i, row in enumerate(matrix)]
    for i in range(size):
        scale = pow(rows[i][i], -1, R)
        rows[i] = [x * scale % R for x in rows[i]]
        for j in range(size):
            if j != i:
                factor = rows[j][i]
                rows[j] = [(x - factor * p) % R for x, p in zip(rows[j], rows[i], strict=True)]
    return [row[size:] for row in rows]
