"""The default index: FAISS, exhaustive over float32."""

import faiss
import numpy as np
import numpy.typing as npt

from uniqueness.faiss_threads import take_threads
from uniqueness.index import (
    Candidates,
    Hits,
    IdArray,
    State,
    check_state,
    exact_columns,
)
from uniqueness.template import FloatArray

# Values of a batch (probes x dimension) from which FAISS multiplies matrices. Its own 128,000 keeps
# every batch below 250 probes of 512 values off BLAS (`benchmarks/index.py` shows the difference).
faiss.cvar.distance_compute_blas_threshold = 4096


class FaissFlatIndex:
    """`IndexFlatIP`: loses no mate, which a graph or inverted-file index would.

    4 d + 8 bytes a template. `remove` moves all that lies behind what it removes.
    """

    def __init__(self, dimension: int) -> None:
        self._flat = faiss.IndexFlatIP(dimension)
        self._index = faiss.IndexIDMap(self._flat)

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return int(self._index.d)

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) float32 unit vectors under their (n,) ids."""
        self._index.add_with_ids(vectors, ids)

    def remove(self, ids: IdArray) -> None:
        """Forget these ids."""
        self._index.remove_ids(faiss.IDSelectorBatch(ids))

    def search(
        self,
        probes: FloatArray,
        k: int,
        *,
        floor: float = -1.0,  # noqa: ARG002 - all are compared anyway
    ) -> Candidates:
        """Find the k nearest of each of the (p, d) probes, whatever the floor."""
        take_threads(len(probes))
        scores, ids = self._index.search(probes, k)
        if len(self) < k:
            scores[ids < 0] = -np.inf
        return Candidates(scores, ids)

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """Find every template that scores at least `floor`."""
        radius = float(np.nextafter(np.float32(floor), np.float32(-np.inf)))  # FAISS wants more
        take_threads(len(probes))
        limits, scores, ids = self._index.range_search(probes, radius)
        rows = np.repeat(np.arange(len(probes)), np.diff(limits.astype(np.int64)))
        return Hits.ranked(rows, ids, scores)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give `ids` (n,) int64 and `vectors` (n, d) float32; the vectors are not copied."""
        if not len(self):
            return {
                "ids": np.empty(0, np.int64),
                "vectors": np.empty((0, self.dimension), np.float32),
            }
        values = faiss.rev_swig_ptr(self._flat.get_xb(), len(self) * self.dimension)
        ids = faiss.vector_to_array(self._index.id_map)
        return {"ids": ids, "vectors": values.reshape(len(self), self.dimension)}

    def restore(self, state: State) -> None:
        """Take the state of any exact index."""
        check_state(state, exact_columns(self.dimension))
        self.clear()
        self.add(np.asarray(state["ids"], np.int64), np.asarray(state["vectors"], np.float32))

    def clear(self) -> None:
        """Forget everything."""
        self._index.reset()

    def __len__(self) -> int:
        return int(self._index.ntotal)
