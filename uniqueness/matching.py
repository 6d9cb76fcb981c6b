"""Which models are compared, and how their cosines become one score for each person.

One model alone: the score is the cosine. Several: each model's cosine goes through its map to a
log-likelihood ratio, and a `Fusion` makes one number of them. Of several templates of a person
and model the best counts; the mean is kept beside it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from uniqueness.decision import ThresholdPolicy
from uniqueness.errors import ModelMismatch
from uniqueness.fusion import Fusion, Rule
from uniqueness.index import GalleryIndex, IdArray
from uniqueness.records import TemplatesByModel, TemplateSet
from uniqueness.template import FloatArray

ScoreArray = npt.NDArray[np.float64]
Vectors = Mapping[str, FloatArray]  # by model, (p, d) float32: a row for each probe

NEAREST = 16  # templates asked of an index for each probe
_ROUNDING = 1e-5  # an index may round its cosines otherwise than the exact score is rounded


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores of probes against people.

    Args:
        persons: (u,) int64.
        best: (p, u) by the best template of each model.
        mean: (p, u) by the mean over the templates of each model.
        templates: (u,) int64, how many templates of each person were compared.
    """

    persons: IdArray
    best: ScoreArray
    mean: ScoreArray
    templates: IdArray

    def without(self, persons: Iterable[int]) -> Self:
        """Drop some people."""
        kept = ~np.isin(self.persons, np.fromiter(persons, np.int64))
        return type(self)(
            self.persons[kept], self.best[:, kept], self.mean[:, kept], self.templates[kept]
        )

    def joined(self, other: Self) -> Self:
        """Put the people of another comparison of the same probes behind these."""
        return type(self)(
            np.concatenate([self.persons, other.persons]),
            np.concatenate([self.best, other.best], axis=1),
            np.concatenate([self.mean, other.mean], axis=1),
            np.concatenate([self.templates, other.templates]),
        )


@cache
def nobody(probe_count: int) -> Comparison:
    """The comparison of probes that are like none in the gallery."""
    scores, none = np.empty((probe_count, 0)), np.empty(0, np.int64)
    return Comparison(none, scores, scores, none)


@dataclass(frozen=True, eq=False)
class Found:
    """What the indexes say about probes.

    Args:
        sequences: of every template near enough to any probe to be looked at exactly.
        nearest: (p,) the highest score that is not among those, as far as it is known.
        saturated: probes for which k candidates did not do and all had to be listed.
    """

    sequences: frozenset[int]
    nearest: ScoreArray
    saturated: int


@dataclass(frozen=True, eq=False)
class Matching:
    """A way to compare: models, their indexes, thresholds, and the fusion of several models.

    Args:
        indexes: by model; with a fusion, exactly its models.
        policy: thresholds on the scale of the scores.
        fusion: None where one model is compared.

    Raises:
        ModelMismatch: no model, or the models are not the fusion's.
    """

    indexes: Mapping[str, GalleryIndex]
    policy: ThresholdPolicy
    fusion: Fusion | None = None

    def __post_init__(self) -> None:
        if self.fusion is None and len(self.indexes) != 1:
            raise ModelMismatch("to compare several models, give their fusion")
        if self.fusion is not None and set(self.fusion.models) != set(self.indexes):
            raise ModelMismatch("the indexes must be those of the models that are fused")

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models, in the fusion's order."""
        return self.fusion.models if self.fusion else tuple(self.indexes)

    @cached_property
    def label(self) -> str:
        """The models as the decision log names them."""
        return " + ".join(self.models)

    @property
    def size(self) -> int:
        """Templates that a search compares a probe with: those of the largest index."""
        return max(len(index) for index in self.indexes.values())

    def recognises(self, models: Collection[str]) -> bool:
        """Whether people with templates of these models can be found by it."""
        if self.fusion is not None and self.fusion.rule is Rule.ALL:
            return set(self.models) <= set(models)
        return not set(self.models).isdisjoint(models)

    def search(self, vectors: Vectors, review: float) -> Found:
        """Find every template of those who may score `review` or more, and perhaps some others."""
        sequences: set[int] = set()
        nearest: ScoreArray | None = None
        saturated: set[int] = set()
        for model, floor in self._floors(review):
            index, probes = self.indexes[model], vectors[model]
            candidates = index.search(probes, NEAREST, floor=floor)
            below = candidates.best_scores()
            if max(below.tolist()) >= floor:  # mostly not, for whoever comes is new
                reached = candidates.scores >= floor
                below = np.where(reached, -np.inf, candidates.scores).max(axis=1)
                sequences.update(candidates.ids[reached].tolist())
                if (full := reached[:, -1]).any():
                    sequences.update(index.search_range(probes[full], floor).ids.tolist())
                    saturated.update(np.flatnonzero(full).tolist())
            if self.fusion is None:
                nearest = below.astype(np.float64)
        if nearest is None:
            nearest = np.full(len(vectors[self.models[0]]), -np.inf)
        return Found(frozenset(sequences), nearest, len(saturated))

    def reached(self, vectors: Vectors, templates: TemplatesByModel, review: float) -> set[int]:
        """The people of some templates, one of which may bring them to `review` or more."""
        persons: set[int] = set()
        for model, floor in self._floors(review):
            if model in templates:
                near = (vectors[model] @ templates[model].vectors.T >= floor).any(axis=0)
                persons.update(templates[model].persons[near].tolist())
        return persons

    def compare(self, vectors: Vectors, templates: TemplatesByModel) -> Comparison:
        """Score probes against people.

        Args:
            vectors: of the probes.
            templates: all of each person who is to be compared; other models are ignored.
        """
        present = [templates[model] for model in self.models if model in templates]
        persons = np.unique(np.concatenate([np.empty(0, np.int64), *(t.persons for t in present)]))
        probe_count = len(vectors[self.models[0]])
        best = np.full((len(self.models), probe_count, len(persons)), np.nan)
        mean = best.copy()
        counts = np.zeros(len(persons), np.int64)
        for row, model in enumerate(self.models):
            if model in templates:
                columns, best_of, mean_of, count = _by_person(vectors[model], templates[model])
                places = np.searchsorted(persons, columns)
                best[row][:, places], mean[row][:, places] = best_of, mean_of
                counts[places] += count
        return Comparison(persons, self._score(best), self._score(mean), counts)

    def compare_probes(self, vectors: Vectors) -> ScoreArray:
        """(p, p) scores of probes against each other."""
        return self._score(np.stack([vectors[m] @ vectors[m].T for m in self.models]))

    def _score(self, cosines: npt.NDArray[np.floating]) -> ScoreArray:
        return self.fusion.fuse(cosines) if self.fusion else cosines[0].astype(np.float64)

    def _floors(self, review: float) -> list[tuple[str, float]]:
        """From which cosine each model has to be looked at, for those that have to."""
        if self.fusion is None:
            return [(self.models[0], max(-1.0, review - _ROUNDING))]
        floors = zip(self.models, self.fusion.floors(review), strict=True)
        return [(model, floor) for model, floor in floors if floor is not None]


def _by_person(
    probes: FloatArray, templates: TemplateSet
) -> tuple[IdArray, FloatArray, FloatArray, IdArray]:
    """Best and mean cosine of each probe with each person, and how many templates that were."""
    order = np.argsort(templates.persons, kind="stable")
    persons, starts, counts = np.unique(
        templates.persons[order], return_index=True, return_counts=True
    )
    cosines = probes @ templates.vectors[order].T
    best = np.maximum.reduceat(cosines, starts, axis=1)
    mean = np.add.reduceat(cosines, starts, axis=1) / counts.astype(np.float32)
    return persons, best, mean.astype(np.float32, copy=False), counts.astype(np.int64)
