"""The compact index: 648 bytes a template of 512 values, where float32 takes 2,056; nobody lost.

Three looks, each at what the one before let pass: a sketch of everybody (`faiss_sketch`,
its error bounded by probability), 8-bit codes of some hundreds (`int8_codes`, bounded for certain),
and the float32 templates of the few that reach the floor or nearly do, which the database gives.
What it answers are exact cosines. Why so: docs/decisions/0015-compact-index.md.
"""

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidIndexState
from uniqueness.faiss_sketch import Sketch
from uniqueness.index import Candidates, Hits, IdArray, State
from uniqueness.int8_codes import Int8Codes, Rows, random_rotation
from uniqueness.rescoring import VectorsOf, rescore
from uniqueness.template import FloatArray

_REWRITE_AT = 16  # when one row in 16 is a removed one
_ADDED_AT_ONCE = 4096


class CompactIndex:
    """An exhaustive scan of sketches and codes, re-scored exactly.

    Args:
        dimension: values of a vector.
        vectors_of: opens templates by their ids.
    """

    def __init__(self, dimension: int, vectors_of: VectorsOf) -> None:
        self._dimension = dimension
        self._vectors_of = vectors_of
        self._sketch = Sketch(dimension)
        self._codes = Int8Codes(self._sketch.width)
        self._rotation = random_rotation(dimension, self._sketch.width)
        self._ids = np.empty(0, np.int64)  # longer than the index: its pages cost once written
        self._dead = np.empty(0, np.int64)  # rows, ascending

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return self._dimension

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        """Add (n, d) float32 unit vectors under their (n,) ids, which ascend."""
        for start in range(0, len(ids), _ADDED_AT_ONCE):
            rotated = vectors[start : start + _ADDED_AT_ONCE] @ self._rotation
            self._sketch.add(rotated)
            self._codes.add(rotated)
        self._append_ids(ids)

    def remove(self, ids: IdArray) -> None:
        """Forget these ids; their codes are overwritten, their sketches when many are gone."""
        known = self._known_ids()
        rows = np.flatnonzero(np.isin(known, ids))
        self._codes.erase(rows)
        self._dead = np.union1d(self._dead, rows)
        if len(self._dead) * _REWRITE_AT > len(known):
            self._rewrite()

    def search(self, probes: FloatArray, k: int, *, floor: float = -1.0) -> Candidates:
        """Find the k nearest of each of the (p, d) probes among those that score `floor`."""
        return self._hits(probes, floor, k).nearest(len(probes), k)

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """Find every template that scores at least `floor`."""
        return self._hits(probes, floor, None)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give ids, removed rows, sketches, codes and bounds of errors; codes are not copied."""
        sketches, bounds = self._sketch.dump()
        codes = {f"codes.{number}": block for number, block in enumerate(self._codes.blocks())}
        return {
            "ids": self._known_ids(),
            "dead": self._dead,
            "sketches": sketches,
            "bounds": np.append(bounds, self._codes.error),
            **codes,
        }

    def restore(self, state: State) -> None:
        """Take the state of a compact index."""
        self.clear()
        try:
            ids, dead, bounds = state["ids"], state["dead"], state["bounds"].astype(np.float64)
            blocks = [state[f"codes.{number}"] for number in range(len(state) - 4)]
            self._sketch.load(np.asarray(state["sketches"], np.uint8), bounds[:2])
            self._codes.restore([np.asarray(block) for block in blocks], float(bounds[2]))
        except (KeyError, IndexError) as missing:
            raise InvalidIndexState("not a compact index's: rebuild the index") from missing
        sizes = {*ids.shape, len(self._codes), len(self._sketch)}
        if len(sizes) != 1 or {ids.dtype, dead.dtype} != {np.dtype(np.int64)}:
            self.clear()
            raise InvalidIndexState("ids, sketches and codes do not agree: rebuild the index")
        self._append_ids(np.asarray(ids, np.int64))
        self._dead = np.asarray(dead, np.int64)

    def clear(self) -> None:
        """Forget everything."""
        self._sketch.clear()
        self._codes.clear()
        self._ids, self._dead = self._ids[:0].copy(), self._dead[:0]

    def __len__(self) -> int:
        return len(self._codes) - len(self._dead)

    def _hits(self, probes: FloatArray, floor: float, k: int | None) -> Hits:
        """Find all at the floor, or at least the k nearest of them."""
        rotated = probes @ self._rotation
        near = self._sketch.near(rotated, floor)
        rows = [self._reaching(rotated[p], near[p], floor, k) for p in range(len(probes))]
        owners = np.repeat(np.arange(len(probes)), [len(of_probe) for of_probe in rows])
        ids = self._known_ids()[np.concatenate([*rows, self._dead[:0]])]
        return rescore(probes, owners, ids, floor, self._vectors_of)

    def _reaching(self, probe: FloatArray, near: Rows | None, floor: float, k: int | None) -> Rows:
        """Rows that may reach the floor of a (width,) rotated probe, and be one of its k nearest.

        A code's score is off by the guard at most: the k-th nearest scores at least the k-th best
        code less the guard, and so does the code of a nearer one less two.
        """
        rows = np.arange(len(self._codes)) if near is None else near
        rows = rows[~np.isin(rows, self._dead)] if len(self._dead) else rows
        scores = self._codes.scores(probe, rows)
        guard = self._codes.guard
        cut = floor - guard
        if k is not None and len(rows) > k:
            cut = max(cut, float(np.partition(scores, -k)[-k]) - 2 * guard)
        return rows[scores >= cut]

    def _known_ids(self) -> IdArray:
        return self._ids[: len(self._codes)]

    def _append_ids(self, ids: IdArray) -> None:
        size, before = len(self._codes), len(self._codes) - len(ids)
        if size > len(self._ids):
            grown = np.empty(2 * size, np.int64)
            grown[:before] = self._ids[:before]
            self._ids = grown
        self._ids[before:size] = ids

    def _rewrite(self) -> None:
        """Leave the removed out."""
        kept = np.ones(len(self._codes), np.bool_)
        kept[self._dead] = False
        ids = self._known_ids()[kept]
        self._sketch.drop(self._dead)
        self._codes.keep(kept)
        self._ids, self._dead = ids, self._dead[:0]
