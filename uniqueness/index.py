"""The index of a gallery: who is nearest to a probe. A cache of the database, and never lossy.

Every implementation gives exact float32 cosines and misses nobody at or above the floor that it is
asked for; how it finds them is its own affair. Implementations are not safe for use from two
threads at once; whoever owns the gallery is the one user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidIndexState
from uniqueness.template import FloatArray

IdArray = npt.NDArray[np.int64]
State = Mapping[str, npt.NDArray[np.generic]]

NO_ID = -1  # pads a row of candidates; its score is -inf


@dataclass(frozen=True, eq=False)
class Hits:
    """Every template at or above a floor, by probe, the nearest first.

    Args:
        probes: (h,) int64, the row of the probe; ascending.
        ids: (h,) int64, the ids given to `add`.
        scores: (h,) float32 cosines; descending within a probe.
    """

    probes: IdArray
    ids: IdArray
    scores: FloatArray

    @classmethod
    def ranked(cls, probes: IdArray, ids: IdArray, scores: FloatArray) -> Self:
        """Put hits that come in any order into theirs; of equal scores the older id comes first."""
        order = np.lexsort((ids, -scores, probes))
        return cls(probes[order], ids[order], scores[order])

    def nearest(self, probe_count: int, k: int) -> "Candidates":
        """Keep the k nearest of each of the probes."""
        candidates = Candidates.none(probe_count, k)
        starts = np.searchsorted(self.probes, np.arange(probe_count))
        rank = np.arange(len(self.probes)) - starts[self.probes]
        kept = rank < k
        where = self.probes[kept], rank[kept]
        candidates.scores[where] = self.scores[kept]
        candidates.ids[where] = self.ids[kept]
        return candidates


@dataclass(frozen=True, eq=False)
class Candidates:
    """The nearest templates of each probe, the nearest first.

    Args:
        scores: (p, k) float32 cosines; -inf where there are fewer than k.
        ids: (p, k) int64, the ids given to `add`; -1 where there are fewer than k.
    """

    scores: FloatArray
    ids: IdArray

    @classmethod
    def none(cls, probe_count: int, k: int) -> Self:
        """Nobody: what a search of an empty index gives."""
        shape = probe_count, k
        return cls(np.full(shape, -np.inf, np.float32), np.full(shape, NO_ID, np.int64))

    def best_scores(self) -> FloatArray:
        """(p,) float32, the highest cosine of each probe, or -inf if it has no candidate."""
        return self.scores[:, 0]


class GalleryIndex(Protocol):
    """Nearest neighbours by inner product over unit vectors.

    Ids are the sequence numbers of templates: int64, ascending from call to call, never used twice.
    """

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        ...

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) float32 unit vectors under their (n,) ids."""
        ...

    def remove(self, ids: IdArray) -> None:
        """Forget the templates of these (m,) ids; those that it does not hold are ignored."""
        ...

    def search(self, probes: FloatArray, k: int, *, floor: float = -1.0) -> Candidates:
        """Find the k >= 1 nearest of each of the (p, d) probes.

        Complete for templates that score at least `floor`; one below it may be missing.
        """
        ...

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """Find every template that scores at least `floor` against one of the (p, d) probes."""
        ...

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give all that it holds as plain arrays, valid until it is next changed."""
        ...

    def restore(self, state: State) -> None:
        """Hold what the arrays of `state` say, and nothing else.

        Raises:
            InvalidIndexState: they are another kind of index's, or of another dimension.
        """
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def __len__(self) -> int: ...


def check_state(
    state: State, columns: Mapping[str, tuple[type[np.generic], tuple[int, ...]]]
) -> None:
    """Refuse arrays that are not, for each name, n rows of this dtype and row shape.

    Raises:
        InvalidIndexState: see above.
    """
    if set(state) != set(columns):
        raise InvalidIndexState(
            f"an index of this kind has the arrays {', '.join(sorted(columns))}"
        )
    rows = {len(array) for array in state.values() if array.ndim}
    for name, (dtype, row_shape) in columns.items():
        array = state[name]
        if array.dtype != dtype or array.shape[1:] != row_shape or len(rows) != 1:
            raise InvalidIndexState(
                f"{name} is not (n, {row_shape}) {dtype.__name__}: rebuild the index"
            )


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
        """Add (n, d) float32 unit vectors under their (n,) ids."""
        self._ids = np.concatenate([self._ids, ids])
        self._vectors = np.concatenate([self._vectors, vectors])

    def remove(self, ids: IdArray) -> None:
        """Forget these ids."""
        kept = ~np.isin(self._ids, ids)
        self._ids, self._vectors = self._ids[kept], self._vectors[kept]

    def search(
        self,
        probes: FloatArray,
        k: int,
        *,
        floor: float = -1.0,  # noqa: ARG002 - all are compared anyway
    ) -> Candidates:
        """Find the k nearest of each of the (p, d) probes, whatever the floor."""
        return self.search_range(probes, -np.inf).nearest(len(probes), k)

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """Find every template that scores at least `floor`."""
        scores = probes @ self._vectors.T
        rows, columns = np.nonzero(scores >= floor)
        return Hits.ranked(rows, self._ids[columns], scores[rows, columns])

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give `ids` (n,) int64 and `vectors` (n, d) float32."""
        return {"ids": self._ids, "vectors": self._vectors}

    def restore(self, state: State) -> None:
        """Take the state of any exact index."""
        check_state(state, exact_columns(self._dimension))
        self.clear()
        self.add(np.asarray(state["ids"], np.int64), np.asarray(state["vectors"], np.float32))

    def clear(self) -> None:
        """Forget everything."""
        self._ids, self._vectors = self._ids[:0], self._vectors[:0]

    def __len__(self) -> int:
        return len(self._ids)


def exact_columns(dimension: int) -> dict[str, tuple[type[np.generic], tuple[int, ...]]]:
    """What an index of float32 vectors keeps, for `check_state`."""
    return {"ids": (np.int64, ()), "vectors": (np.float32, (dimension,))}
