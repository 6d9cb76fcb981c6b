"""Unit vectors in 8 bits a value: cosines to within an error that is known for certain.

A rotated unit vector x is kept as round(scale x). Its probe stays float32, so that by
Cauchy-Schwarz |<q, x> - <q, code / scale>| <= |x - code / scale|; the largest of these norms over
all that were added is the guard. Nothing is assumed of the people or of the model.

The rotation spreads a vector's length evenly over its values, so that one scale fits all of them.
"""

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidIndexState
from uniqueness.template import FloatArray

Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

_BLOCK = 1 << 18  # rows of one array: growing copies nothing, and unwritten pages take none
_AT_ONCE = 1 << 8  # rows turned into float32 at a time
_REACH = 5.6  # standard deviations of a rotated value; beyond them the code is clipped
ROUNDING = 1e-5  # of float32 inner products


def random_rotation(dimension: int, width: int) -> FloatArray:
    """(dimension, width) float32 with orthonormal rows, the same in every process."""
    square = np.random.default_rng(0).standard_normal((width, width))
    factor, triangle = np.linalg.qr(square)
    return np.asarray((factor * np.sign(np.diag(triangle)))[:dimension], np.float32)


def code_scale(width: int) -> np.float32:
    """What rotated values of unit vectors are multiplied by to become codes."""
    return np.float32(127 * np.sqrt(width) / _REACH)


def encode(rotated: FloatArray) -> tuple[Codes, float]:
    """Round (n, width) rotated unit vectors to codes; with the largest |x - code / scale|."""
    scale = code_scale(rotated.shape[1])
    scaled = rotated * scale
    codes = np.clip(np.rint(scaled), -127, 127).astype(np.int8)
    errors = np.linalg.norm(scaled - codes, axis=1)
    return codes, float(errors.max(initial=0)) / float(scale)


class Int8Codes:
    """The (n, width) codes of n rotated unit vectors, in the order in which they came."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.error = 0.0  # the largest |x - code / scale| so far
        self._scale = code_scale(width)
        self._blocks: list[Codes] = []
        self._size = 0

    @property
    def guard(self) -> float:
        """By how much at most a cosine from the codes differs from the exact one."""
        return self.error + ROUNDING

    def add(self, rotated: FloatArray) -> None:
        """Add (n, width) rotated unit vectors."""
        codes, error = encode(rotated)
        self.error = max(self.error, error)
        self._append(codes)

    def erase(self, rows: Rows) -> None:
        """Overwrite these rows; they stay, and score 0."""
        for row in rows.tolist():
            self._blocks[row // _BLOCK][row % _BLOCK] = 0

    def keep(self, kept: npt.NDArray[np.bool_]) -> None:
        """Keep the rows where (n,) `kept` is true; they move up."""
        old, self._blocks, self._size = self.blocks(), [], 0
        for start, block in zip(range(0, len(kept), _BLOCK), old, strict=True):
            self._append(block[kept[start : start + _BLOCK]])

    def scores(self, probe: FloatArray, rows: Rows) -> FloatArray:
        """(m,) float32 cosines of a (width,) rotated probe with (m,) rows, which ascend."""
        scores = np.empty(len(rows), np.float32)
        scaled = probe / self._scale
        # Small enough to stay in the processor's cache.
        codes = np.empty((_AT_ONCE, self.width), np.int8)
        values = np.empty((_AT_ONCE, self.width), np.float32)
        ends = np.searchsorted(rows, np.arange(1, len(self._blocks) + 1) * _BLOCK)
        start = 0
        for number, end in enumerate(ends.tolist()):
            for part in range(start, end, _AT_ONCE):
                window = slice(part, min(part + _AT_ONCE, end))
                size = window.stop - part
                within = rows[window] - number * _BLOCK
                np.take(self._blocks[number], within, 0, codes[:size], mode="clip")
                values[:size] = codes[:size]
                np.dot(values[:size], scaled, out=scores[window])
            start = end
        return scores

    def blocks(self) -> list[Codes]:
        """Give the codes in use, block by block, not copied."""
        starts = range(0, self._size, _BLOCK)
        return [
            block[: self._size - start] for start, block in zip(starts, self._blocks, strict=True)
        ]

    def restore(self, blocks: list[Codes], error: float) -> None:
        """Take what `blocks` and `error` gave.

        Raises:
            InvalidIndexState: they are something else's.
        """
        if any(b.dtype != np.int8 or b.shape[1:] != (self.width,) for b in blocks):
            raise InvalidIndexState("the codes are another index's: rebuild the index")
        self.clear()
        for block in blocks:
            self._append(block)
        self.error = error

    def clear(self) -> None:
        """Forget everything."""
        self._blocks, self._size, self.error = [], 0, 0.0

    def __len__(self) -> int:
        return self._size

    def _append(self, codes: Codes) -> None:
        """Add (n, width) codes as they are."""
        while len(codes):
            place = self._size % _BLOCK
            if place == 0:
                self._blocks.append(np.empty((_BLOCK, self.width), np.int8))
            taken = codes[: _BLOCK - place]
            self._blocks[-1][place : place + len(taken)] = taken
            self._size += len(taken)
            codes = codes[len(taken) :]
