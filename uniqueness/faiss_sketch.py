"""A sketch of the gallery: 128 bytes for 512 values that rule out nearly everybody.

Each vector is turned by one random rotation, cut into at most 256 pieces, and each piece is
replaced by the nearest of 16 centroids: product quantisation (Jégou et al. 2011) in 4-bit codes,
which FAISS's FastScan reads with the registers' byte shuffle (André et al. 2015). After a random
rotation the pieces of any unit vector are those of a Gaussian one, so the centroids are fitted
once to the normal distribution and never to people.

With y the sketch of x, <x, y> = a and y = a x + r, a probe q of cosine s has

    <q, y> = s a + sqrt(1 - s^2) <u, r>,    u a unit vector orthogonal to x.

As the rotation is random, <u, r> is a coordinate of a random direction: mean 0, standard deviation
|r| / sqrt(d - 1), tails lighter than the normal ones. The smallest a and the largest |r| of all
vectors are kept, so the only chance is that of the rotation (RaBitQ argues likewise: Gao and Long
2024). FAISS rounds the table of a probe to 8 bits, a sixth of that deviation at d = 128 and less
above, for which the largest |r| leaves room.
"""

from functools import cache
from statistics import NormalDist

import faiss
import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidIndexState
from uniqueness.faiss_threads import take_threads
from uniqueness.template import FloatArray

Rows = npt.NDArray[np.int64]

_PIECES = 256  # at most; 4 bits each
_CENTROIDS = 16
_SIGMAS = 5.5  # misses 2e-8 of the mates exactly at the floor, and fewer above it
_STRANGERS = 1.6  # how much wider than by chance the scores of strangers spread, on LFW
_TOGETHER = 0x223  # seven probes in three groups: their tables stay in the first-level cache
_MOST = 4  # a sketch that lets more than a quarter of the gallery pass is of no use


class Sketch:
    """Sketches of n rotated unit vectors, in the order in which they came.

    Args:
        dimension: values of a vector, before the rotation.
    """

    def __init__(self, dimension: int) -> None:
        piece = -(-dimension // _PIECES)
        pieces = -(-dimension // piece)
        self.width = pieces * piece  # values of a rotated vector
        self._fast_scan = faiss.IndexPQFastScan(self.width, pieces, 4, faiss.METRIC_INNER_PRODUCT)
        centroids = np.tile(_centroids(piece) / np.sqrt(np.float32(self.width)), (pieces, 1))
        faiss.copy_array_to_vector(centroids.ravel(), self._fast_scan.pq.centroids)
        self._fast_scan.is_trained = True
        self._fast_scan.qbs = _TOGETHER
        self._alignment = 1.0  # the smallest <x, y>
        self._remainder = 0.0  # the largest |r|

    @property
    def spread(self) -> float:
        """The standard deviation of a sketched score, at most."""
        return float(self._remainder / np.sqrt(self.width - 1))

    def cut(self, floor: float) -> float:
        """Below which sketched score a template does not reach the floor."""
        return min(floor, floor * self._alignment) - _SIGMAS * self.spread

    def add(self, rotated: FloatArray) -> None:
        """Add (n, width) rotated unit vectors, n >= 1."""
        size = len(self)
        take_threads(len(rotated))
        self._fast_scan.add(rotated)
        sketched = self._fast_scan.reconstruct_n(size, len(rotated))
        alignments = np.einsum("ij,ij->i", rotated, sketched)
        remainders = np.linalg.norm(sketched - alignments[:, None] * rotated, axis=1)
        self._alignment = min(self._alignment, float(alignments.min()))
        self._remainder = max(self._remainder, float(remainders.max()))

    def drop(self, rows: Rows) -> None:
        """Take these rows out; those behind them move up. Rewrites the sketch."""
        self._fast_scan.remove_ids(faiss.IDSelectorBatch(rows))

    def near(self, rotated: FloatArray, floor: float) -> list[Rows | None]:
        """For each of the (p, width) probes, the rows that may score at least `floor`.

        None stands for all rows, where too many of them may.
        """
        cut = self.cut(floor)
        found: list[Rows | None] = [None] * len(rotated)
        pending = np.arange(len(rotated))
        k = self._expected(cut)
        take_threads(len(rotated))
        while len(pending) and k <= len(self) // _MOST:
            scores, rows = self._fast_scan.search(rotated[pending], k)
            complete = scores[:, -1] < cut
            for place in np.flatnonzero(complete):
                found[pending[place]] = np.sort(rows[place][scores[place] >= cut])
            pending = pending[~complete]
            k *= 4
        return found

    def _expected(self, cut: float) -> int:
        """How many to ask for at first: twice the strangers that are expected to pass."""
        length = np.hypot(self._alignment, self._remainder)
        spread = _STRANGERS * length / np.sqrt(self.width)
        return 256 + int(2 * NormalDist().cdf(-cut / spread) * len(self))

    def dump(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
        """Give the sketches as FAISS writes them, and their two bounds."""
        sketches = np.asarray(faiss.serialize_index(self._fast_scan), np.uint8)
        return sketches, np.array([self._alignment, self._remainder])

    def load(self, sketches: npt.NDArray[np.uint8], bounds: npt.NDArray[np.float64]) -> None:
        """Take what `dump` gave.

        Raises:
            InvalidIndexState: it is something else's.
        """
        try:
            loaded = faiss.deserialize_index(sketches)
        except RuntimeError as error:
            raise InvalidIndexState("the sketch cannot be read: rebuild the index") from error
        if not isinstance(loaded, faiss.IndexPQFastScan) or loaded.d != self.width:
            raise InvalidIndexState("the sketch is another index's: rebuild the index")
        self._fast_scan = loaded
        self._fast_scan.qbs = _TOGETHER
        self._alignment, self._remainder = map(float, bounds)

    def clear(self) -> None:
        """Forget everything."""
        self._fast_scan.reset()
        self._alignment, self._remainder = 1.0, 0.0

    def __len__(self) -> int:
        return int(self._fast_scan.ntotal)


@cache
def _centroids(piece: int) -> FloatArray:
    """(16, piece) centroids of the standard normal distribution."""
    sample = np.random.default_rng(0).standard_normal((1 << 16, piece)).astype(np.float32)
    fit = faiss.Kmeans(piece, _CENTROIDS, niter=25, seed=1, max_points_per_centroid=len(sample))
    fit.train(sample)
    return np.asarray(fit.centroids, np.float32)
