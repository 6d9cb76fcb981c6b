"""A shard of 8-bit codes, for GPUs that ONNX Runtime drives: d bytes a template, error known.

A rotated template x is kept as its code x^ (`int8_codes`), a rotated probe q for the while of a
search as q^, two bytes a value. By Cauchy-Schwarz, with |q| = 1,

    |<q, x> - <q^, x^>| <= |x - x^| + |q - q^| |x^|.

The first is measured on all that is added. A probe's high bytes are multiples of max|q| / 127, its
low ones of a 254th of that, so no value is off by more than half of a low one, and q by at most
sqrt(width) / (2 x 254 x 127).
"""

import numpy as np

from uniqueness.int8_codes import ROUNDING, Codes, Rows, code_scale, encode, random_rotation
from uniqueness.onnx_scan import LOW_STEPS, Block, CodeScan
from uniqueness.template import FloatArray

_BLOCK = 1 << 16  # rows: 32 MB of 512 values, and as much for the products of 64 probes
_PROBES_AT_ONCE = 64
_ALIGNED = 32  # ONNX Runtime's CUDA kernel copies matrices whose rows are no multiple of it


class Int8Shard:
    """Codes on one device, in the order of `add`: a `Shard` of `ShardedIndex`.

    Args:
        dimension: values of a vector.
        scan: the device.
        block: rows of a block; a full one is sent to the device once, the last one anew when it
            grew.
    """

    def __init__(self, dimension: int, scan: CodeScan, *, block: int = _BLOCK) -> None:
        width = -(-dimension // _ALIGNED) * _ALIGNED
        self._scan = scan
        self._block = block
        self._rotation = random_rotation(dimension, width)
        self._scale = code_scale(width)
        self._probe_error = float(np.sqrt(width)) / (2 * LOW_STEPS * 127)
        self._full: list[Block] = []
        self._tail: Codes = np.empty((block, width), np.int8)
        self._tail_on_device: Block | None = None
        self.ntotal = 0
        self.error = 0.0  # the largest |x - x^|

    @property
    def guard(self) -> float:
        """By how much at most a score of `search` differs from the exact one."""
        return self.error + (1 + self.error) * self._probe_error + ROUNDING

    def add(self, vectors: FloatArray) -> None:
        """Add (n, d) unit vectors."""
        self.load(*encode(vectors @ self._rotation))

    def search(self, probes: FloatArray, k: int) -> tuple[FloatArray, Rows]:
        """Find the k <= n nearest of each of (p, d) probes: (p, k) scores, descending, and rows."""
        parts = [
            self._nearest(probes[start : start + _PROBES_AT_ONCE] @ self._rotation, k)
            for start in range(0, len(probes), _PROBES_AT_ONCE)
        ]
        scores, rows = zip(*parts, strict=True)
        return np.concatenate(scores), np.concatenate(rows)

    def reconstruct_n(self, start: int, count: int) -> FloatArray:
        """(count, d) vectors, as the codes have them."""
        codes = self.stored(start, count).astype(np.float32)
        return np.asarray((codes / self._scale) @ self._rotation.T, np.float32)

    def stored(self, start: int, count: int) -> Codes:
        """(count, width) codes, read back from the device."""
        pieces = [self._tail[:0]]
        while count:
            number, place = divmod(start, self._block)
            piece = self._codes_of(number)[place : place + count]
            pieces.append(piece)
            start, count = start + len(piece), count - len(piece)
        return np.concatenate(pieces)

    def load(self, stored: Codes, error: float) -> None:
        """Add (n, width) codes as they are, whose vectors are off by at most the error."""
        self.error = max(self.error, error)
        while len(stored):
            used = self.ntotal % self._block
            taken = stored[: self._block - used]
            self._tail[used : used + len(taken)] = taken
            self._tail_on_device = None
            if used + len(taken) == self._block:
                self._full.append(self._scan.upload(self._tail))
                self._tail = np.empty_like(self._tail)
            self.ntotal += len(taken)
            stored = stored[len(taken) :]

    def reset(self) -> None:
        """Forget everything."""
        self._full, self._tail = [], np.empty_like(self._tail)
        self._tail_on_device = None
        self.ntotal, self.error = 0, 0.0

    def _codes_of(self, number: int) -> Codes:
        if number == len(self._full):
            return self._tail[: self.ntotal % self._block]
        codes: Codes = self._full[number].numpy()
        return codes

    def _blocks(self) -> list[Block]:
        used = self.ntotal % self._block
        if not used:
            return self._full
        if self._tail_on_device is None:
            self._tail_on_device = self._scan.upload(self._tail[:used])
        return [*self._full, self._tail_on_device]

    def _nearest(self, rotated: FloatArray, k: int) -> tuple[FloatArray, Rows]:
        """Merge the k nearest of every block."""
        codes, units = _two_bytes(rotated)
        scores = np.empty((len(rotated), 0), np.float32)
        rows = np.empty((len(rotated), 0), np.int64)
        for number, block in enumerate(self._blocks()):
            start = number * self._block
            found, places = self._scan.nearest(
                block, codes, min(k, self.ntotal - start, self._block)
            )
            scores = np.concatenate([scores, found], axis=1)
            rows = np.concatenate([rows, places + start], axis=1)
            best = np.argsort(-scores, axis=1)[:, :k]
            scores = np.take_along_axis(scores, best, axis=1)
            rows = np.take_along_axis(rows, best, axis=1)
        return scores * (units / self._scale), rows


def _two_bytes(rotated: FloatArray) -> tuple[Codes, FloatArray]:
    """(width, 2 p) high and low bytes of (p, width) probes, and the (p, 1) units of the high."""
    units = np.abs(rotated).max(axis=1, keepdims=True) / np.float32(127)
    scaled = rotated / units
    high = np.rint(scaled)
    low = np.rint((scaled - high) * LOW_STEPS)
    codes = np.concatenate([high, low]).astype(np.int8).T
    return np.ascontiguousarray(codes), units
