"""All labelled templates against each other: what a score model is fitted to.

Only what a model needs is kept: each probe's highest impostor scores with whom they are with, all
genuine scores, and counts of the rest by bins. So memory grows with the number of templates and
not with its square.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uniqueness.errors import CalibrationImpossible

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.int64]
ScoreRows = Callable[[slice], FloatArray]

_BLOCK = 256  # probes scored at a time
_KEPT_SHARE = 0.15  # of each probe's impostor scores
_MOST_KEPT = 1500
_BINS = 1000
MINIMUM_PEOPLE = 100


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Scores of n templates of p people, each template a probe against all others.

    Args:
        people: (n,) int64, the number of each template's person, 0 to p - 1.
        top: (n, m) float32, each probe's highest impostor scores, descending.
        top_columns: (n, m) int32, the template each is with.
        impostors: (n,) int64, number of impostor scores of each probe.
        genuine: (g,) float32, scores of the pairs of one person.
        genuine_pairs: (g, 2) int64, the two templates.
        edges: (b + 1,) of the bins that count all impostor pairs.
        counts: (b,) impostor pairs by bin.
    """

    people: IntArray
    top: FloatArray
    top_columns: npt.NDArray[np.int32]
    impostors: IntArray
    genuine: FloatArray
    genuine_pairs: IntArray
    edges: FloatArray
    counts: IntArray

    @property
    def person_count(self) -> int:
        """How many people the templates are of."""
        return int(self.people.max()) + 1

    @property
    def impostor_pairs(self) -> int:
        """Pairs of two people, each counted once."""
        return int(self.impostors.sum()) // 2

    def impostor_sample(self) -> tuple[FloatArray, IntArray]:
        """Centres of the bins and the impostor pairs in each."""
        return (self.edges[1:] + self.edges[:-1]) / 2, self.counts


def cosine_rows(vectors: npt.NDArray[np.float32]) -> ScoreRows:
    """Scores of one model: the cosines of rows of unit vectors with all."""
    return lambda rows: vectors[rows] @ vectors.T


def compare(
    score_rows: ScoreRows,
    people: Sequence[int] | IntArray,
    *,
    bounds: tuple[float, float] = (-1.0, 1.0),
    not_compared: Collection[frozenset[int]] = (),
) -> Comparisons:
    """Score every template against every other.

    Args:
        score_rows: gives the (r, n) scores of a slice of the templates with all n.
        people: (n,) number of each template's person, from 0 without gaps.
        bounds: lowest and highest score there can be; for the bins.
        not_compared: pairs of people whose scores count neither way: wrong labels.

    Raises:
        CalibrationImpossible: fewer than 100 people, or nobody with two templates.
    """
    people = np.asarray(people, np.int64)
    count = int(people.max(initial=-1)) + 1
    if count < MINIMUM_PEOPLE:
        raise CalibrationImpossible(
            f"photographs of {count} people are too few: the tail of impostor scores needs at "
            f"least {MINIMUM_PEOPLE}, and a target of one in a thousand some thousands"
        )
    kept = max(1, min(_MOST_KEPT, int(_KEPT_SHARE * people.size)))
    edges = np.linspace(*bounds, _BINS + 1)
    top, columns, impostors, genuine, pairs = [], [], [], [], []
    counts = np.zeros(_BINS, np.int64)
    for start in range(0, people.size, _BLOCK):
        rows = slice(start, min(start + _BLOCK, people.size))
        scores = np.array(score_rows(rows), np.float32)
        same = people[rows, None] == people[None, :]
        mates = same & (np.arange(people.size)[None, :] > np.arange(rows.start, rows.stop)[:, None])
        first, second = np.nonzero(mates)
        genuine.append(scores[first, second])
        pairs.append(np.stack([first + start, second], axis=1))
        aside = same | _aside(people, rows, not_compared)
        impostors.append((~aside).sum(axis=1))
        counts += np.histogram(np.clip(scores[~aside], *bounds), edges)[0]
        scores[aside] = -np.inf
        best = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)
        top.append(np.take_along_axis(scores, best, 1))
        columns.append(best.astype(np.int32))
    scored = np.concatenate(genuine)
    if scored.size == 0:
        raise CalibrationImpossible("nobody has two usable photographs: misses cannot be counted")
    return Comparisons(
        people=people,
        top=np.concatenate(top),
        top_columns=np.concatenate(columns),
        impostors=np.concatenate(impostors).astype(np.int64),
        genuine=scored,
        genuine_pairs=np.concatenate(pairs),
        edges=edges,
        counts=counts // 2,
    )


def _aside(
    people: IntArray, rows: slice, not_compared: Collection[frozenset[int]]
) -> npt.NDArray[np.bool_]:
    probes = people[rows]
    aside = np.zeros((probes.size, people.size), bool)
    for first, second in (sorted(pair) for pair in not_compared):
        aside |= (probes == first)[:, None] & (people == second)[None, :]
        aside |= (probes == second)[:, None] & (people == first)[None, :]
    return aside
