"""What the decision log counts, as it may be told: every table and rate of it rests on these.

Two tables of the same counts give each other's withheld cells back, unless they are slices of one.
So attempts by kiosk, time and outcome are one table, with operators as subtotals. Reasons of
rejections are another, with attacks and failures as subtotals; its total is a cell of the first,
and where that is withheld all of it is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from enrollment.errors import FrameMirrored, FrameReused, PresentationAttackSuspected
from uniqueness.metrics.activity import OUTCOMES, REJECTED, Activity, Event, activity
from uniqueness.metrics.release import Released, released

ATTACKS: Final = frozenset(
    error.code for error in (PresentationAttackSuspected, FrameReused, FrameMirrored)
)
UNNAMED: Final = "not named"  # the kiosk of entries that name none
NO_OPERATOR: Final = "command line"  # whose code no operator of the console made


@dataclass(frozen=True, eq=False)
class LogCounts:
    """Counts of the log; None is withheld.

    Args:
        events: all entries, their kiosks and operators named.
        activity: attempts, as they are.
        table: (k + o + 1, s + 1, 5) by kiosk, then by operator; by span; by outcome; totals last.
        reasons: of rejections, by code.
        attacks: rejections that say a picture was shown, not a face.
        failures: all other rejections.
    """

    events: tuple[Event, ...]
    activity: Activity
    table: Released
    reasons: Mapping[str, int | None]
    attacks: int | None
    failures: int | None

    @classmethod
    def of(cls, entries: Sequence[Event]) -> "LogCounts":
        """Count, and withhold what tells of a few."""
        events = tuple(map(_named, entries))
        found = activity(events)
        table = released(found.counts, found.groups)
        counted = Counter(event.reason for event in events if event.kind == REJECTED)
        names = sorted(counted)
        groups = [
            [place for place, name in enumerate(names) if (name in ATTACKS) is is_attack]
            for is_attack in (True, False)
        ]
        by_reason = np.array([counted[name] for name in names], np.int64)
        shown = released(by_reason, groups).tolist()
        if table[-1, -1, OUTCOMES.index(REJECTED)] is None:
            shown = [0 if count == 0 else None for count in shown]  # a sum would give it back
        *reasons, attacks, failures, _ = shown
        by_name = dict(zip(names, reasons, strict=True))
        return cls(events, found, table, by_name, attacks, failures)

    def total(self, outcome: str) -> int | None:
        """All attempts that came to an outcome."""
        count: int | None = self.table[-1, -1, OUTCOMES.index(outcome)]
        return count

    @property
    def attempts(self) -> int | None:
        """All of them."""
        count: int | None = self.table[-1, -1, -1]
        return count


def _named(event: Event) -> Event:
    nobody = NO_OPERATOR if event.kiosk else UNNAMED
    return replace(event, kiosk=event.kiosk or UNNAMED, operator=event.operator or nobody)
