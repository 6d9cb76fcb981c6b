"""The default index: FAISS, exhaustive over float32. The one file that imports faiss."""

import faiss
import numpy as np

from uniqueness.index import Candidates, IdArray
from uniqueness.template import FloatArray


class FaissFlatIndex:
    """`IndexFlatIP`: loses no mate, which a graph or inverted-file index would."""

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexIDMap(faiss.IndexFlatIP(dimension))

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return int(self._index.d)

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) unit vectors under their (n,) ids."""
        self._index.add_with_ids(vectors, ids)

    def search(self, probes: FloatArray, k: int) -> Candidates:
        """Find the k nearest of each of the (n, d) probes."""
        k = min(k, len(self))
        if k == 0:
            shape = len(probes), 0
            return Candidates(np.empty(shape, np.float32), np.empty(shape, np.int64))
        scores, ids = self._index.search(probes, k)
        return Candidates(scores, ids)

    def clear(self) -> None:
        """Forget everything."""
        self._index.reset()

    def __len__(self) -> int:
        return int(self._index.ntotal)
