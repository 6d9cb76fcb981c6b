"""What the decision log says of the last day, by kiosk and operator, and which stand out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from console.activity import COMMAND_LINE
from console.desk import Operations
from enrollment.errors import FrameMirrored, PosesMirrored
from enrollment.kiosks import Kiosk
from transparency.entry import SECONDS_PER_HOUR, Entry
from transparency.journal import Journal
from uniqueness.metrics.activity import Event, groups_with_many

DAY: Final = 24 * SECONDS_PER_HOUR
_CHUNK: Final = 1000  # entries read at a time
_MIRRORED: Final = {FrameMirrored.code, PosesMirrored.code}
_LOOKED_FOR: Final[Mapping[str, Callable[[Event], bool]]] = {
    "duplicates": lambda event: event.kind == "duplicate",
    "rejections": lambda event: event.kind == "rejected",
    "mirrored captures": lambda event: event.reason in _MIRRORED,
}


@dataclass(frozen=True)
class Burst:
    """A kiosk, or the kiosks of an operator, with more of something than all others explain.

    Args:
        place: the kiosk's name, or whose kiosks.
        what: duplicates, rejections or mirrored captures.
        share: of the attempts there.
        others: the same share of all others.
    """

    place: str
    what: str
    share: float
    others: float


@dataclass(frozen=True)
class Recent:
    """The last day of the decision log.

    Args:
        counts: by kiosk's id, then by kind.
        by_operator: the same by the name of who invited the kiosks; empty for the command line.
        bursts: the surest first.
    """

    counts: Mapping[str, Mapping[str, int]]
    by_operator: Mapping[str, Mapping[str, int]]
    bursts: tuple[Burst, ...]

    def count(self, kiosk: Kiosk, kind: str) -> int:
        """Count one kind of outcome of a kiosk."""
        return self.counts.get(kiosk.id, {}).get(kind, 0)


def read_recent(operations: Operations, now: float) -> Recent:
    """Read the last day; only this service can tell which kiosk a pseudonym is."""
    journal = operations.journal
    known = {journal.pseudonym(kiosk.id): kiosk for kiosk in operations.kiosks.all()}
    entries = [e for e in _since(journal, int(now) - DAY) if e.kiosk in known]
    counts: dict[str, Counter[str]] = {}
    by_operator: dict[str, Counter[str]] = {kiosk.invited_by: Counter() for kiosk in known.values()}
    events = []
    for entry in entries:
        kiosk = known[entry.kiosk]
        counts.setdefault(kiosk.id, Counter())[entry.kind.value] += 1
        by_operator[kiosk.invited_by][entry.kind.value] += 1
        hour = entry.hour // SECONDS_PER_HOUR
        place = f"kiosks of {kiosk.invited_by or COMMAND_LINE}"
        events.append(Event(entry.kind.value, entry.reason or "", hour, kiosk.name, place))
    bursts = [
        Burst(alarm.group, what, alarm.rate.estimate, alarm.others.estimate)
        for what, is_hit in _LOOKED_FOR.items()
        for place_of in (_kiosk, _operator)
        for alarm in groups_with_many(events, place_of, is_hit)
    ]
    return Recent(counts, dict(sorted(by_operator.items())), tuple(bursts))


def _kiosk(event: Event) -> str:
    return event.kiosk


def _operator(event: Event) -> str:
    return event.operator


def _since(journal: Journal, moment: int) -> Iterator[Entry]:
    """Read entries from the end of the log, until a whole chunk is older."""
    end = journal.log.size()
    while end > 0:
        entries = journal.log.entries(max(0, end - _CHUNK), end)
        late = [entry for entry in entries if entry.hour > moment - SECONDS_PER_HOUR]
        if not late:
            return
        yield from late
        end -= len(entries)
