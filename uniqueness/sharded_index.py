"""One index over several devices' memory: rounded scans, exact scores for the few they let pass.

Each device holds a shard of the gallery and is asked for the nearest of a batch; a shard's scores
are off by no more than its guard, so that what may reach the floor is known, and only that is
opened from the database. A device gives a bounded number of nearest; where all of them might reach
the floor, the shard is read back and compared here, so that no answer is ever cut off.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from uniqueness.index import Candidates, Hits, IdArray, State, check_state
from uniqueness.rescoring import VectorsOf, rescore
from uniqueness.template import FloatArray

_ASKED = (64, 512, 2048)  # nearest; 2048 is the most that FAISS gives on a GPU
_ROWS_AT_ONCE = 1 << 16

Rows = npt.NDArray[np.int64]
Stored = npt.NDArray[Any]


class Shard(Protocol):
    """What one device holds: rows in the order of `add`. Named as FAISS names it where it does."""

    @property
    def ntotal(self) -> int:
        """How many rows it holds."""
        ...

    @property
    def guard(self) -> float:
        """By how much at most a score of `search` differs from the exact one."""
        ...

    @property
    def error(self) -> float:
        """The largest distance of a row from its template, where the guard is measured; else 0."""
        ...

    def add(self, vectors: FloatArray) -> None:
        """Add (n, d) float32 unit vectors."""
        ...

    def search(self, probes: FloatArray, k: int) -> tuple[FloatArray, Rows]:
        """Find the k <= n nearest of (p, d) probes: (p, k) scores, descending, and their rows."""
        ...

    def reconstruct_n(self, start: int, count: int) -> FloatArray:
        """(count, d) float32 vectors as the rows have them."""
        ...

    def stored(self, start: int, count: int) -> Stored:
        """(count, ...) rows as they are kept."""
        ...

    def load(self, stored: Stored, error: float) -> None:
        """Add rows that `stored` gave, of a shard with this `error`."""
        ...

    def reset(self) -> None:
        """Forget everything."""
        ...


class ShardedIndex:
    """An exhaustive scan by several shards, re-scored exactly.

    What `remove` forgets keeps its place on the device until the index is restored.

    Args:
        dimension: values of a vector.
        shards: empty and all of one kind; new templates go to the shortest.
        vectors_of: opens templates by their ids.
    """

    def __init__(self, dimension: int, shards: Sequence[Shard], vectors_of: VectorsOf) -> None:
        self._dimension = dimension
        self._shards = shards
        self._vectors_of = vectors_of
        self._ids = [[np.empty(0, np.int64)] for _ in shards]  # pieces, joined when they are read
        self._dead = np.empty(0, np.int64)  # ids, ascending

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return self._dimension

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) float32 unit vectors under their (n,) ids."""
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            shortest = self._shortest()
            self._shards[shortest].add(np.ascontiguousarray(vectors[part]))
            self._ids[shortest].append(ids[part])

    def remove(self, ids: IdArray) -> None:
        """Forget these ids."""
        held = [np.intersect1d(self._ids_of(shard), ids) for shard in range(len(self._shards))]
        self._dead = np.union1d(self._dead, np.concatenate(held))

    def search(self, probes: FloatArray, k: int, *, floor: float = -1.0) -> Candidates:
        """Find the k nearest of each of the (p, d) probes among those that score `floor`."""
        return self._hits(probes, floor, k).nearest(len(probes), k)

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """Find every template that scores at least `floor`."""
        return self._hits(probes, floor, None)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give `ids` (n,) int64 and `rows` as the shards keep them, in that order, and `error`."""
        ids = np.concatenate([self._ids_of(shard) for shard in range(len(self._shards))])
        order = np.argsort(ids)
        order = order[~np.isin(ids[order], self._dead)]
        rows = [self._read(shard) for shard in self._shards]
        error = max(shard.error for shard in self._shards)
        return {"ids": ids[order], "rows": np.concatenate(rows)[order], "error": np.array(error)}

    def restore(self, state: State) -> None:
        """Take the state of a sharded index over however many shards of this kind."""
        row = self._shards[0].stored(0, 0)
        columns = {"ids": (np.int64, ()), "rows": (row.dtype.type, row.shape[1:])}
        check_state(state, {**columns, "error": (np.float64, ())})
        self.clear()
        ids, rows, error = np.asarray(state["ids"], np.int64), state["rows"], state["error"]
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            shortest = self._shortest()
            self._shards[shortest].load(rows[part], float(error))
            self._ids[shortest].append(ids[part])

    def clear(self) -> None:
        """Forget everything."""
        for shard in self._shards:
            shard.reset()
        self._ids = [[np.empty(0, np.int64)] for _ in self._shards]
        self._dead = self._dead[:0]

    def __len__(self) -> int:
        return sum(shard.ntotal for shard in self._shards) - len(self._dead)

    def _shortest(self) -> int:
        return min(range(len(self._shards)), key=lambda s: self._shards[s].ntotal)

    def _ids_of(self, shard: int) -> IdArray:
        self._ids[shard] = [np.concatenate(self._ids[shard])]
        return self._ids[shard][0]

    def _hits(self, probes: FloatArray, floor: float, k: int | None) -> Hits:
        found_owners, found_ids = [], []
        for number, shard in enumerate(self._shards):
            for owner, rows in enumerate(_reaching(shard, probes, floor, k, len(self._dead))):
                found_ids.append(self._ids_of(number)[rows])
                found_owners.append(np.full(len(rows), owner))
        owners, ids = np.concatenate(found_owners), np.concatenate(found_ids)
        alive = ~np.isin(ids, self._dead)
        return rescore(probes, owners[alive], ids[alive], floor, self._vectors_of)

    def _read(self, shard: Shard) -> Stored:
        starts = range(0, shard.ntotal, _ROWS_AT_ONCE)
        parts = [shard.stored(s, min(_ROWS_AT_ONCE, shard.ntotal - s)) for s in starts]
        return np.concatenate([shard.stored(0, 0), *parts])


def _reaching(
    shard: Shard, probes: FloatArray, floor: float, k: int | None, dead: int
) -> list[Rows]:
    """Rows of a shard that may reach the floor, and be one of each probe's k nearest of the living.

    The k-th nearest of the living is at least the (k + dead)-th nearest of all.
    """
    found: list[Rows] = [np.empty(0, np.int64)] * len(probes)
    pending = np.arange(len(probes))
    for asked in _ASKED:
        nearest = min(asked, shard.ntotal)
        if not nearest or not len(pending):
            return found
        scores, rows = shard.search(probes[pending], nearest)
        cuts = _cuts(scores, shard.guard, floor, k, dead)
        complete = (scores[:, -1] < cuts) | (nearest == shard.ntotal)
        for place in np.flatnonzero(complete):
            found[pending[place]] = rows[place][scores[place] >= cuts[place]]
        pending = pending[~complete]
    for place in pending:
        scores = _all_scores(shard, probes[place])
        ranked = -np.sort(-scores)[None]
        (cut,) = _cuts(ranked, shard.guard, floor, k, dead)
        found[place] = np.flatnonzero(scores >= cut)
    return found


def _cuts(scores: FloatArray, guard: float, floor: float, k: int | None, dead: int) -> FloatArray:
    """(p,) the lowest score of a row that counts, from (p, n) scores that descend."""
    cuts = np.full(len(scores), floor - guard, np.float32)
    if k is not None and k + dead <= scores.shape[1]:
        cuts = np.maximum(cuts, scores[:, k + dead - 1] - 2 * guard)
    return cuts


def _all_scores(shard: Shard, probe: FloatArray) -> FloatArray:
    parts = [
        shard.reconstruct_n(start, min(_ROWS_AT_ONCE, shard.ntotal - start)) @ probe
        for start in range(0, shard.ntotal, _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)
