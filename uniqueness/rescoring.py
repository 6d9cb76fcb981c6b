"""Exact scores for the few that a coarser look let pass."""

from collections.abc import Callable

import numpy as np

from uniqueness.index import Hits, IdArray
from uniqueness.template import FloatArray

VectorsOf = Callable[[IdArray], FloatArray]
"""Opens templates: (n,) ascending ids of an index to (n, d) float32 unit vectors, a row of zeros
for one that the database no longer holds."""

_OPENED_AT_ONCE = 4096


def rescore(
    probes: FloatArray, owners: IdArray, ids: IdArray, floor: float, vectors_of: VectorsOf
) -> Hits:
    """Keep the pairs whose cosine is at least `floor`.

    Args:
        probes: (p, d) float32.
        owners: (h,) int64, the row of the probe of each pair.
        ids: (h,) int64, its template.
        floor: a cosine.
        vectors_of: see `VectorsOf`.
    """
    scores = np.empty(len(ids), np.float32)
    for start in range(0, len(ids), _OPENED_AT_ONCE):
        part = slice(start, start + _OPENED_AT_ONCE)
        opened, where = np.unique(ids[part], return_inverse=True)
        vectors = vectors_of(opened)[where]
        scores[part] = np.einsum("ij,ij->i", probes[owners[part]], vectors)
        scores[part][~vectors.any(axis=1)] = -np.inf
    kept = scores >= floor
    return Hits.ranked(owners[kept], ids[kept], scores[kept])
