"""What the decision log says of the last day, by kiosk, and which kiosk stands out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from console.desk import Operations
from enrollment.kiosks import Kiosk
from transparency.entry import SECONDS_PER_HOUR, Entry
from transparency.journal import Journal
from uniqueness.metrics.activity import Event, kiosks_with_many

DAY: Final = 24 * SECONDS_PER_HOUR
_CHUNK: Final = 1000  # entries read at a time
_LOOKED_FOR: Final = {"duplicate": "duplicates", "rejected": "rejections"}


@dataclass(frozen=True)
class Burst:
    """A kiosk with more of something than all others explain.

    Args:
        kiosk: its name.
        what: duplicates or rejections.
        share: of its attempts.
        others: the same share of all others.
    """

    kiosk: str
    what: str
    share: float
    others: float


@dataclass(frozen=True)
class Recent:
    """The last day of the decision log.

    Args:
        counts: by kiosk's id, then by kind.
        bursts: the surest first.
    """

    counts: Mapping[str, Mapping[str, int]]
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
    for entry in entries:
        counts.setdefault(known[entry.kiosk].id, Counter())[entry.kind.value] += 1
    events = [Event(e.kind.value, "", e.hour // SECONDS_PER_HOUR, e.kiosk) for e in entries]
    bursts = [
        Burst(known[alarm.group].name, what, alarm.rate.estimate, alarm.others.estimate)
        for kind, what in _LOOKED_FOR.items()
        for alarm in kiosks_with_many(events, kind)
    ]
    return Recent(counts, tuple(bursts))


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
