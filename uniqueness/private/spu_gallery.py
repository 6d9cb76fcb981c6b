"""The factors of dot products as a worker holds them, and its addend of each product.

A template x = x0 + x1 + x2 is in three components of which this party, i, has its own and the next
one. Of a product x . y the party can compute, by itself,

    x[i] . (y[i] + y[i+1]) + x[i+1] . y[i]

and the three parties' addends make up x . y (Araki et al., CCS 2016). So a template is kept as two
rows of numbers side by side, a probe as (x[i], x[i+1]) and one of the gallery as (y[i] + y[i+1],
y[i]), and all products are one multiplication of matrices.

Products of templates, and differences of them, are below 2^25. So all is reckoned modulo 2^26:
exactly, in floating point, with one factor cut into two limbs; or, for a few probes, in integers.

Imports NumPy alone: it runs in the engine's own environment.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

BITS = 26  # a product fits with its sign
SHIFT = 32 - BITS  # which brings that sign to the sign of a 32-bit number
MAX_DIMENSION = 4096  # 2 * dimension * 2^26 * 2^13 are no more than the 2^53 that a double holds
_LIMB = 13
_MASK = np.uint32((1 << BITS) - 1)
_LIMB_MASK = np.uint32((1 << _LIMB) - 1)
_LEAST_CAPACITY = 256
_FEW = 4  # probes, for which cutting the gallery into limbs costs more than it gains
_ROWS_AT_ONCE = 1024  # whose limbs are in memory as floating point

Factors = npt.NDArray[np.uint32]  # (n, 2 d), below 2^26


def left_factors(shares: npt.NDArray[np.uint64]) -> Factors:
    """Probes' factors of (n, 2, d) shares."""
    return shares.astype(np.uint32).reshape(len(shares), -1) & _MASK


def right_factors(shares: npt.NDArray[np.uint64]) -> Factors:
    """The gallery's factors of (n, 2, d) shares."""
    own, following = shares.astype(np.uint32).transpose(1, 0, 2)
    return np.concatenate([own + following, own], axis=1) & _MASK


def addends(left: Factors, right: Factors) -> npt.NDArray[np.int32]:
    """(p, n) this party's addends of the products, times 2^6, modulo 2^32."""
    if len(left) <= _FEW:
        few: Factors = np.einsum("pd,nd->pn", left, right)
        return (few << np.uint32(SHIFT)).view(np.int32)
    found = np.empty((len(left), len(right)), np.int64)
    exact = left.astype(np.float64)
    for start in range(0, len(right), _ROWS_AT_ONCE):
        rows = right[start : start + _ROWS_AT_ONCE]
        low = exact @ (rows & _LIMB_MASK).astype(np.float64).T
        high = exact @ (rows >> _LIMB).astype(np.float64).T
        here = found[:, start : start + len(rows)]
        here[:] = high
        here <<= _LIMB
        here += low.astype(np.int64)
    return (found << SHIFT).astype(np.uint32).view(np.int32)


class Gallery:
    """Templates' factors in blocks of one width.

    A place without a template, or whose template was erased, holds zeros: its product with anything
    is 0, which reaches no threshold above 0.
    """

    def __init__(self, dimension: int, width: int) -> None:
        self.count = 0
        self.dimension = dimension
        self._width = width
        self._blocks: list[Factors] = []

    def add(self, shares: npt.NDArray[np.uint64]) -> None:
        """Append (n, 2, d) shares."""
        rows = right_factors(shares)
        while len(rows):
            used = self.count % self._width
            if not used:
                self._blocks.append(np.zeros((self._width, 2 * self.dimension), np.uint32))
            taken = rows[: self._width - used]
            self._blocks[-1][used : used + len(taken)] = taken
            self.count += len(taken)
            rows = rows[len(taken) :]

    def erase(self, places: npt.NDArray[np.int64]) -> None:
        """Put zeros in these places."""
        for place in places:
            self._blocks[place // self._width][place % self._width] = 0

    def at(self, places: npt.NDArray[np.int64]) -> Factors:
        """The factors in these places."""
        return np.stack(
            [self._blocks[place // self._width][place % self._width] for place in places]
        )

    def blocks(self) -> Iterator[tuple[Factors, int]]:
        """Each block's rows, and how many of them are in use.

        The last one is as long as the next power of two, so that few programs are compiled.
        """
        for block, rows in enumerate(self._blocks):
            used = min(self.count - block * self._width, self._width)
            yield rows[: max(power_of_two(used), _LEAST_CAPACITY)], used


def power_of_two(count: int) -> int:
    """The least power of two that is not below `count`."""
    return 1 << max(count - 1, 0).bit_length()
