"""Outcomes by kiosk and by day, from plain rows of a decision log."""

from collections import Counter
from collections.abc import Iterable, Sequence
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
MOST_SPANS: Final = 26

_HOURS_PER_DAY = 24
_SPANS = (1, 7, 28, 364)  # days
_FEW_SMALL = 0.1


@dataclass(frozen=True)
class Event:
    """One line of a decision log.

    Args:
        kind: unique, duplicate, review, rejected, or what else the log holds.
        reason: the code of a rejection's reason, or empty.
        hour: since 1970 UTC.
        kiosk: its pseudonym; empty where the log does not name it.
    """

    kind: str
    reason: str
    hour: int
    kiosk: str = ""

    @property
    def day(self) -> int:
        """Days since 1970 UTC."""
        return self.hour // _HOURS_PER_DAY


@dataclass(frozen=True, eq=False)
class Activity:
    """Attempts by kiosk, time and outcome.

    Args:
        kiosks: names; the last one may be `OTHERS`.
        first_days: of the spans, days since 1970 UTC.
        days: length of a span.
        counts: (k, s, 4) by kiosk, span and outcome, in the order of `OUTCOMES`.
    """

    kiosks: tuple[str, ...]
    first_days: tuple[int, ...]
    days: int
    counts: npt.NDArray[np.int64]


def activity(events: Iterable[Event]) -> Activity:
    """Count attempts by the busiest kiosks and all others, in at most 26 spans of equal length.

    A span is a day, a week, four weeks, a year, or else all of the time: the shortest for which at
    most a tenth of the counts are so small that they would have to be withheld.
    """
    attempts = [event for event in events if event.kind in OUTCOMES]
    if not attempts:
        return Activity((), (), 1, np.zeros((0, 0, len(OUTCOMES)), np.int64))
    busiest = Counter(event.kiosk for event in attempts).most_common()
    kept = MOST_KIOSKS if len(busiest) <= MOST_KIOSKS else MOST_KIOSKS - 1
    kiosks = sorted(name for name, _ in busiest[:kept])
    names = [*kiosks, OTHERS] if len(busiest) > kept else kiosks
    first = min(event.day for event in attempts)
    length = max(event.day for event in attempts) - first + 1
    for days in (days for days in (*_SPANS, length) if -(-length // days) <= MOST_SPANS):
        counts = _counted(attempts, names, first, days)
        small = (counts > 0) & (counts < SMALLEST_CELL)
        if small.sum() <= _FEW_SMALL * (counts > 0).sum():
            break
    spans = range(first, first + days * counts.shape[1], days)
    return Activity(tuple(names), tuple(spans), days, counts)


def _counted(
    attempts: Sequence[Event], names: Sequence[str], first: int, days: int
) -> npt.NDArray[np.int64]:
    place = {name: at for at, name in enumerate(names)}
    spans = max(event.day - first for event in attempts) // days + 1
    counts = np.zeros((len(names), spans, len(OUTCOMES)), np.int64)
    for event in attempts:
        kiosk = place.get(event.kiosk, len(names) - 1)
        counts[kiosk, (event.day - first) // days, OUTCOMES.index(event.kind)] += 1
    return counts


def kiosks_with_many(events: Iterable[Event], outcome: str) -> tuple[Alarm, ...]:
    """Kiosks whose attempts came to an outcome more often than all others': see `bursts`."""
    return bursts(_shares(((event.kiosk, event.kind) for event in events), outcome))


def days_with_many(events: Iterable[Event], outcome: str) -> tuple[Alarm, ...]:
    """Likewise days since 1970 UTC, as text."""
    return bursts(_shares(((str(event.day), event.kind) for event in events), outcome))


def _shares(pairs: Iterable[tuple[str, str]], outcome: str) -> dict[str, tuple[int, int]]:
    counted = Counter(pair for pair in pairs if pair[1] in OUTCOMES)
    groups = sorted({group for group, _ in counted})
    trials = {group: sum(counted[group, kind] for kind in OUTCOMES) for group in groups}
    return {group: (counted[group, outcome], trials[group]) for group in groups}
