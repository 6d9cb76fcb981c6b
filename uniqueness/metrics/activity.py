"""Outcomes by kiosk and by day, from plain rows of a decision log."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from uniqueness.metrics.alarms import Alarm, bursts

REJECTED: Final = "rejected"
OUTCOMES: Final = ("unique", "duplicate", "review", REJECTED)  # of an attempt to enrol

_HOURS_PER_DAY = 24


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


@dataclass(frozen=True)
class Table:
    """Counts, in rows and columns.

    Args:
        rows: names.
        columns: names.
        counts: by row, then by column.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def by_kiosk(events: Iterable[Event]) -> Table:
    """Outcomes of each kiosk's attempts."""
    return _table((event.kiosk, event.kind) for event in events if event.kind in OUTCOMES)


def by_day(events: Iterable[Event]) -> Table:
    """Outcomes of each day's attempts; the rows are days since 1970 as text, in their order."""
    return _table((f"{event.day:06d}", event.kind) for event in events if event.kind in OUTCOMES)


def attempts_by_day_and_kiosk(events: Iterable[Event], kind: str) -> Table:
    """How many attempts came to one outcome, by day and by kiosk."""
    chosen = [(f"{e.day:06d}", e.kiosk) for e in events if e.kind == kind]
    return _table(chosen, columns=sorted({kiosk for _, kiosk in chosen}))


def burst_alarms(table: Table, outcome: str) -> tuple[Alarm, ...]:
    """Rows of a table of outcomes that have more of one outcome than the others: see `bursts`."""
    column = table.columns.index(outcome)
    return bursts(
        {name: (row[column], sum(row)) for name, row in zip(table.rows, table.counts, strict=True)}
    )


def _table(pairs: Iterable[tuple[str, str]], columns: Sequence[str] = OUTCOMES) -> Table:
    counted = Counter(pairs)
    rows = sorted({row for row, _ in counted})
    counts = tuple(tuple(counted[row, column] for column in columns) for row in rows)
    return Table(tuple(rows), tuple(columns), counts)
