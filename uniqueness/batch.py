"""A batch of probes between search and decision: who each of them may be.

Read `compare`, `refresh` and `judge` in that order: before the lock, under it, and for each probe.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from uniqueness.candidates import Candidate
from uniqueness.decision import Decision, Thresholds
from uniqueness.matching import Comparison, Found, Matching, ScoreArray, Vectors, nobody
from uniqueness.records import Changes, TemplatesByModel
from uniqueness.template import Probe

_SEVERITY = {Decision.UNIQUE: 0, Decision.REVIEW: 1, Decision.DUPLICATE: 2}


@dataclass(frozen=True)
class Judgement:
    """What was found out about one probe.

    Args:
        decision: about the probe.
        person: whom it resembles most; None where UNIQUE.
        score: what the decision rests on; -inf where nobody was near enough to be scored.
        label: the models that were compared.
        lacking: models of the gallery of which this person, recognised by models that are being
            retired, has no template yet.
        is_within_batch: whether this person came in the same batch.
    """

    decision: Decision
    person: int | None = field(repr=False)
    score: float = field(repr=False)
    label: str
    lacking: tuple[str, ...] = ()
    is_within_batch: bool = False


class Batch:
    """Probes that are searched together.

    Args:
        probes: each with a template of every model of the matchings.
        matchings: the gallery's own, then the one that is being retired, if any; that one
            speaks only for people who lack a template of the gallery's own models.
        despite: people each probe is known not to show; by default nobody.
    """

    def __init__(
        self,
        probes: Sequence[Probe],
        matchings: Sequence[Matching],
        despite: Sequence[Collection[int]] | None = None,
    ) -> None:
        self.probes = probes
        self._despite = despite or [()] * len(probes)
        self._matchings = matchings
        self._vectors = _stack(probes)
        # At most this many comparisons are made for a probe, in all indexes together.
        size = max(1, sum(matching.size for matching in matchings))
        self._thresholds = [matching.policy.at(size) for matching in matchings]
        self._found: list[Found] = []
        self._comparisons: list[Comparison] = []
        self._models_of: dict[int, set[str]] = {}

    @property
    def saturated(self) -> int:
        """Probes for which an index had to list everybody above the floor."""
        return sum(found.saturated for found in self._found)

    def compare(self, read: Callable[[Sequence[int]], TemplatesByModel]) -> None:
        """Search the indexes, and score exactly whoever they find.

        Args:
            read: gives all templates of the people who have those of some sequence numbers.
        """
        self._found = [
            matching.search(self._vectors, thresholds.review)
            for matching, thresholds in self._ways()
        ]
        sequences = {sequence for found in self._found for sequence in found.sequences}
        if sequences:
            self._comparisons = self._compare(read(sorted(sequences)))
        else:
            self._comparisons = [nobody(len(self.probes))] * len(self._matchings)

    def refresh(self, changes: Changes, read: Callable[[Iterable[int]], TemplatesByModel]) -> None:
        """Take in what was committed since the search; called under the gallery's lock.

        Args:
            changes: after the horizon of the search.
            read: gives all templates of some people.
        """
        if not changes.templates and not changes.removed_persons:
            return
        changed = {
            person for found in changes.templates.values() for person in found.persons.tolist()
        }
        known = {
            person for comparison in self._comparisons for person in comparison.persons.tolist()
        }
        again = known & changed
        for matching, thresholds in self._ways():
            again |= matching.reached(self._vectors, changes.templates, thresholds.review)
        dropped = changed | changes.removed_persons
        self._comparisons = [comparison.without(dropped) for comparison in self._comparisons]
        if again:
            fresh = self._compare(read(again))
            self._comparisons = [
                old.joined(new) for old, new in zip(self._comparisons, fresh, strict=True)
            ]

    def judge(self, row: int, accepted: Mapping[int, int]) -> Judgement:
        """Decide about one probe.

        Args:
            row: which.
            accepted: rows of this batch that were found unique before it, with their new persons.
        """
        own = [self._judge_by(0, row)]
        if accepted:
            own.append(self._judge_among(row, accepted))
        retiring = [self._judge_by(way, row) for way in range(1, len(self._matchings))]
        first = max(own + retiring, key=lambda judgement: _SEVERITY[judgement.decision])
        if first.decision is Decision.UNIQUE:
            score = max(judgement.score for judgement in own)
            return Judgement(first.decision, None, score, self._matchings[0].label)
        same = [judgement for judgement in own if judgement.decision is first.decision]
        if same:
            return max(same, key=lambda judgement: judgement.score)
        plainly_new = all(judgement.decision is Decision.UNIQUE for judgement in own)
        return first if plainly_new else _without_lacking(first)

    def candidates(self, row: int) -> tuple[Candidate, ...]:
        """Everybody who scores from the review threshold on, the likeliest first."""
        found: list[Candidate] = []
        for comparison, thresholds in zip(self._comparisons, self._thresholds, strict=True):
            scores = comparison.best[row]
            order = np.argsort(-scores, kind="stable")
            found += [
                Candidate(
                    int(comparison.persons[column]),
                    float(scores[column]),
                    float(comparison.mean[row, column]),
                    int(comparison.templates[column]),
                )
                for column in order[scores[order] >= thresholds.review]
            ]
        return tuple(found)

    @cached_property
    def _among(self) -> ScoreArray:
        """(p, p) scores of the probes against each other; who comes alone is not compared."""
        return self._matchings[0].compare_probes(self._vectors)

    def _ways(self) -> Iterable[tuple[Matching, Thresholds]]:
        return zip(self._matchings, self._thresholds, strict=True)

    def _compare(self, templates: TemplatesByModel) -> list[Comparison]:
        """Score people by each matching; the later ones speak for whom the first does not know."""
        for model, found in templates.items():
            for person in found.persons.tolist():
                self._models_of.setdefault(person, set()).add(model)
        own = set(self._matchings[0].models)
        complete = {person for person, models in self._models_of.items() if own <= models}
        first, *others = (
            matching.compare(self._vectors, templates) for matching in self._matchings
        )
        return [first, *(comparison.without(complete) for comparison in others)]

    def _judge_by(self, way: int, row: int) -> Judgement:
        matching, comparison = self._matchings[way], self._comparisons[way]
        if self._despite[row]:
            comparison = comparison.without(self._despite[row])
        score, person = self._found[way].nearest[row], None
        if len(comparison.persons):
            column = int(np.argmax(comparison.best[row]))
            if comparison.best[row, column] >= score:
                score, person = comparison.best[row, column], int(comparison.persons[column])
        decision = self._thresholds[way].decide(float(score))
        lacking: tuple[str, ...] = ()
        if way > 0 and person is not None and decision is Decision.DUPLICATE:
            has = self._models_of[person]
            lacking = tuple(model for model in self._matchings[0].models if model not in has)
        return Judgement(decision, person, float(score), matching.label, lacking)

    def _judge_among(self, row: int, accepted: Mapping[int, int]) -> Judgement:
        others = list(accepted)
        nearest = others[int(np.argmax(self._among[row, others]))]
        score = float(self._among[row, nearest])
        decision, label = self._thresholds[0].decide(score), self._matchings[0].label
        return Judgement(decision, accepted[nearest], score, label, (), True)


def _stack(probes: Sequence[Probe]) -> Vectors:
    rows: dict[str, list[np.ndarray]] = {}
    for probe in probes:
        for template in probe.templates:
            rows.setdefault(template.model, []).append(template.vector)
    return {model: np.array(vectors) for model, vectors in rows.items()}


def _without_lacking(judgement: Judgement) -> Judgement:
    return replace(judgement, lacking=())
