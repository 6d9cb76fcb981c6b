"""What the parties are asked about a batch, and what may be decided from their answers.

Bits are opened in this order, and no more of them than it takes:

1. of each probe: is anybody at all like it, by the review threshold? Nearly always nobody is;
2. of the batch, where there are several probes: which are like each other?
3. where there is a likeness: is it one by the duplicate threshold?
4. of a probe whose candidates somebody has to know, for a review, a recovery, or because people
   were told apart before: which templates is it like, and which most?
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from uniqueness.candidates import Candidate
from uniqueness.decision import Decision, Thresholds
from uniqueness.errors import InvalidThresholds
from uniqueness.private.parties import Parties
from uniqueness.private.protocol import BoolArray
from uniqueness.private.quantised import least_product

PersonsOf = Callable[[Sequence[int]], Mapping[int, int]]

_SEVERITY = {Decision.UNIQUE: 0, Decision.REVIEW: 1, Decision.DUPLICATE: 2}
_BY_BITS = {
    (False, False): Decision.UNIQUE,
    (True, False): Decision.REVIEW,
    (True, True): Decision.DUPLICATE,
}


@dataclass(frozen=True, eq=False)
class Match:
    """The answers about a batch of p probes.

    Args:
        decisions: p, by the gallery alone.
        near, same: (p, p) bool, which probes are like each other by the two thresholds.
        candidates: of the rows whose candidates were asked for, the likeliest first. Their scores
            are the thresholds that they are known to reach, for no score is ever opened.
    """

    decisions: Sequence[Decision]
    near: BoolArray = field(repr=False)
    same: BoolArray = field(repr=False)
    candidates: Mapping[int, tuple[Candidate, ...]] = field(repr=False)

    def decide(self, row: int, accepted: Collection[int]) -> Decision:
        """Decide about a probe, given the rows before it that were found unique."""
        others = list(accepted)
        bits = bool(self.near[row, others].any()), bool(self.same[row, others].any())
        return max(self.decisions[row], _BY_BITS[bits], key=_SEVERITY.__getitem__)


@dataclass(frozen=True, eq=False)
class Matcher:
    """Asks the parties about the batch that is loaded.

    Args:
        parties: with a session.
        thresholds: of the gallery as it stands.
        persons_of: whose template each number is.

    Raises:
        InvalidThresholds: a threshold of 0 or less, which removed templates would reach.
    """

    parties: Parties
    thresholds: Thresholds
    persons_of: PersonsOf

    def __post_init__(self) -> None:
        if self.thresholds.review <= 0:
            raise InvalidThresholds("the parties compare by positive thresholds only")

    def match(
        self, count: int, despite: Mapping[int, Collection[int]], wanted: Collection[int]
    ) -> Match:
        """Find out what is needed to decide.

        Args:
            count: p.
            despite: by row, the people that a probe is known not to show.
            wanted: rows whose candidates have to be known.
        """
        near = self.parties.reached(self._review)
        same = self._by_duplicate(near, self.parties.reached)
        among = self._among(count)
        opened = [row for row in range(count) if near[row] and (row in despite or row in wanted)]
        found = self._candidates(opened, same)
        decisions = [_BY_BITS[bool(near[row]), bool(same[row])] for row in range(count)]
        for row in opened:
            apart = despite.get(row, ())
            found[row] = tuple(one for one in found[row] if one.person not in apart)
            scores = [one.score for one in found[row]]
            decisions[row] = self.thresholds.decide(max(scores, default=-np.inf))
        return Match(decisions, *among, {row: found[row] for row in opened if row in wanted})

    @property
    def _review(self) -> int:
        return least_product(self.thresholds.review)

    @property
    def _duplicate(self) -> int:
        return least_product(self.thresholds.duplicate)

    def _by_duplicate(self, near: BoolArray, ask: Callable[[int], BoolArray]) -> BoolArray:
        """The same by the duplicate threshold, asked only where the answer is open."""
        if not near.any() or self._duplicate == self._review:
            return near
        return ask(self._duplicate)

    def _among(self, count: int) -> tuple[BoolArray, BoolArray]:
        if count == 1:
            return np.zeros((1, 1), bool), np.zeros((1, 1), bool)
        near = self.parties.among(self._review)
        return near, self._by_duplicate(near, self.parties.among)

    def _candidates(self, rows: Sequence[int], same: BoolArray) -> dict[int, tuple[Candidate, ...]]:
        """Whom some probes are like."""
        if not rows:
            return {}
        alike = [row for row in rows if same[row]]
        by_review = dict(zip(rows, self.parties.reaching(self._review, rows), strict=True))
        by_duplicate: dict[int, tuple[int, ...]] = {}
        if alike:
            reaching = self.parties.reaching(self._duplicate, alike)
            by_duplicate = dict(zip(alike, reaching, strict=True))
        return {row: self._ordered(row, by_review[row], by_duplicate.get(row, ())) for row in rows}

    def _ordered(
        self, row: int, near: Sequence[int], same: Collection[int]
    ) -> tuple[Candidate, ...]:
        """The people of some templates: the likeliest, those who are alike, then the others."""
        person_of = self.persons_of(near)
        alike = {person_of[sequence] for sequence in same}
        persons = sorted(set(person_of.values()), key=lambda one: (one not in alike, one))
        rivals = list(same or near)
        if len({person_of[sequence] for sequence in rivals}) > 1:
            first = person_of[self.parties.nearest(row, rivals)]
            persons.sort(key=lambda person: person != first)
        templates = list(person_of.values())
        return tuple(
            Candidate(person, score, score, templates.count(person))
            for person in persons
            for score in [self.thresholds.duplicate if person in alike else self.thresholds.review]
        )
