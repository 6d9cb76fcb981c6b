"""Outcomes by kiosk, operator and day, from plain rows of a decision log."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from uniqueness.metrics.alarms import Alarm, bursts
from uniqueness.metrics.release import SMALLEST_CELL

REJECTED: Final = "rejected"
OUTCOMES: Final = ("unique", "duplicate", "review", REJECTED)  # of an attempt to enrol

OTHERS: Final = "others"
MOST_KIOSKS: Final = 8
MOST_OPERATORS: Final = 4
MOST_SPANS: Final = 26

_HOURS_PER_DAY = 24
_SPANS = (1, 7, 28, 364)  # days
_FEW_SMALL = 0.1

Row = tuple[str, str]  # operator and kiosk


@dataclass(frozen=True)
class Event:
    """One line of a decision log.

    Args:
        kind: unique, duplicate, review, rejected, or what else the log holds.
        reason: the code of a rejection's reason, or empty.
        hour: since 1970 UTC.
        kiosk: its pseudonym; empty where the log does not name it.
        operator: pseudonym of who answers for the kiosk; empty where nobody is known.
    """

    kind: str
    reason: str
    hour: int
    kiosk: str = ""
    operator: str = ""

    @property
    def day(self) -> int:
        """Days since 1970 UTC."""
        return self.hour // _HOURS_PER_DAY


@dataclass(frozen=True, eq=False)
class Activity:
    """Attempts by kiosk, time and outcome.

    Args:
        kiosks: names, those of one operator side by side; `OTHERS` are the less busy ones.
        operators: of each of them; the last ones may be `OTHERS`.
        first_days: of the spans, days since 1970 UTC.
        days: length of a span.
        counts: (k, s, 4) by kiosk, span and outcome, in the order of `OUTCOMES`.
    """

    kiosks: tuple[str, ...]
    operators: tuple[str, ...]
    first_days: tuple[int, ...]
    days: int
    counts: npt.NDArray[np.int64]

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The places of each operator's kiosks, in the order of `group_names`."""
        return tuple(
            tuple(place for place, name in enumerate(self.operators) if name == operator)
            for operator in self.group_names
        )

    @property
    def group_names(self) -> tuple[str, ...]:
        """Each operator once."""
        return tuple(dict.fromkeys(self.operators))


def activity(events: Iterable[Event]) -> Activity:
    """Count attempts by the busiest kiosks and all others, in at most 26 spans of equal length.

    The busiest operators are told apart as well, and every kiosk stands with its own. A span is a
    day, a week, four weeks, a year, or else all of the time: the shortest for which at most a tenth
    of the counts are so small that they would have to be withheld.
    """
    attempts = [event for event in events if event.kind in OUTCOMES]
    if not attempts:
        return Activity((), (), (), 1, np.zeros((0, 0, len(OUTCOMES)), np.int64))
    operators = _busiest((event.operator for event in attempts), MOST_OPERATORS)
    kiosks = _busiest((event.kiosk for event in attempts), MOST_KIOSKS)
    placed: list[Row] = [
        (
            event.operator if event.operator in operators else OTHERS,
            event.kiosk if event.kiosk in kiosks else OTHERS,
        )
        for event in attempts
    ]
    rows = sorted(set(placed), key=lambda row: [(name == OTHERS, name) for name in row])
    first = min(event.day for event in attempts)
    length = max(event.day for event in attempts) - first + 1
    for days in (days for days in (*_SPANS, length) if -(-length // days) <= MOST_SPANS):
        counts = _counted(attempts, placed, rows, first, days)
        small = (counts > 0) & (counts < SMALLEST_CELL)
        if small.sum() <= _FEW_SMALL * (counts > 0).sum():
            break
    spans = range(first, first + days * counts.shape[1], days)
    return Activity(
        tuple(kiosk for _, kiosk in rows),
        tuple(operator for operator, _ in rows),
        tuple(spans),
        days,
        counts,
    )


def _busiest(names: Iterable[str], most: int) -> frozenset[str]:
    """All of them where they are few enough; else one less, which leaves a place for the others."""
    counted = Counter(names).most_common()
    kept = most if len(counted) <= most else most - 1
    return frozenset(name for name, _ in counted[:kept])


def _counted(
    attempts: Sequence[Event], placed: Sequence[Row], rows: Sequence[Row], first: int, days: int
) -> npt.NDArray[np.int64]:
    place = {row: at for at, row in enumerate(rows)}
    spans = max(event.day - first for event in attempts) // days + 1
    counts = np.zeros((len(rows), spans, len(OUTCOMES)), np.int64)
    for event, row in zip(attempts, placed, strict=True):
        counts[place[row], (event.day - first) // days, OUTCOMES.index(event.kind)] += 1
    return counts


def groups_with_many(
    events: Iterable[Event], group: Callable[[Event], str], is_hit: Callable[[Event], bool]
) -> tuple[Alarm, ...]:
    """Groups whose attempts came to something more often than all others': see `bursts`.

    Args:
        events: all of them; what is no attempt is left out.
        group: the name of the group that an attempt belongs to.
        is_hit: whether it came to that.
    """
    hits, trials = Counter[str](), Counter[str]()
    for event in events:
        if event.kind in OUTCOMES:
            name = group(event)
            trials[name] += 1
            hits[name] += is_hit(event)
    return bursts({name: (hits[name], trials[name]) for name in sorted(trials)})
