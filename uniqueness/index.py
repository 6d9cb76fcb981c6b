"""The index of a gallery: who is nearest to a probe. Exact, and a cache of the database.

Implementations are not safe for use from two threads; the gallery's owner thread is the one user.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from uniqueness.template import FloatArray

IdArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The nearest templates of each probe, the nearest first.

    Args:
        scores: (n, min(k, size)) float32 cosines.
        ids: (n, min(k, size)) int64, the ids given to `add`.
    """

    scores: FloatArray
    ids: IdArray

    def best_scores(self) -> FloatArray:
        """(n,) float32, the highest cosine of each probe, or -inf from an empty index."""
        if self.scores.shape[1] == 0:
            return np.full(len(self.scores), -np.inf, np.float32)
        return self.scores[:, 0]


class GalleryIndex(Protocol):
    """Nearest neighbours by inner product over unit vectors."""

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        ...

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) unit vectors under their (n,) ids."""
        ...

    def search(self, probes: FloatArray, k: int) -> Candidates:
        """Find the k nearest of each of the (n, d) probes."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def __len__(self) -> int: ...


class NumpyIndex:
    """One matrix product: the plainest exact index, and the oracle of the others."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._ids = np.empty(0, np.int64)
        self._vectors = np.empty((0, dimension), np.float32)

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return self._dimension

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) unit vectors under their (n,) ids."""
        self._ids = np.concatenate([self._ids, ids])
        self._vectors = np.concatenate([self._vectors, vectors])

    def search(self, probes: FloatArray, k: int) -> Candidates:
        """Find the k nearest of each of the (n, d) probes."""
        scores = probes @ self._vectors.T
        nearest = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return Candidates(np.take_along_axis(scores, nearest, axis=1), self._ids[nearest])

    def clear(self) -> None:
        """Forget everything."""
        self._ids, self._vectors = self._ids[:0], self._vectors[:0]

    def __len__(self) -> int:
        return len(self._ids)
