"""The numbers of the overview: what was decided lately, how full the service is, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sqlalchemy import Engine, func, select

from console.desk import Operations
from console.fresh import Fresh
from console.operators import Clock
from console.recent import Burst, read_recent
from uniqueness.schema import OutcomeRow
from uniqueness.status import GalleryStatus
from uniqueness.tally import REJECTED

HOURS: Final = 24
KINDS: Final = ("unique", "duplicate", "review", REJECTED)
_SECONDS_PER_HOUR: Final = 3600
_FRESH: Final = 5.0  # seconds for which the decisions of the day are not counted again
_FRESH_STATUS: Final = 30.0  # the gallery's status counts all templates
_DAY: Final = 24 * 3600  # seconds
_LONG: Final = 3 * _DAY
_FULL: Final = 0.8  # of the places, from which the operator is told


@dataclass(frozen=True)
class Hour:
    """One hour's decisions.

    Args:
        hour: hours since 1970 UTC.
        counts: by kind; every kind is there.
    """

    hour: int
    counts: dict[str, int]

    @property
    def starts_at(self) -> int:
        """Unix seconds."""
        return self.hour * _SECONDS_PER_HOUR

    @property
    def total(self) -> int:
        """All kinds together."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Decisions:
    """What was decided in the last hours.

    Args:
        hours: the oldest first, empty ones too.
        rejections: captures refused in these hours, by the code of the reason, most first.
    """

    hours: tuple[Hour, ...]
    rejections: dict[str, int]

    def total(self, kind: str) -> int:
        """Count one kind over all hours."""
        return sum(hour.counts[kind] for hour in self.hours)

    @property
    def all(self) -> int:
        """Count everything."""
        return sum(hour.total for hour in self.hours)


class Level(StrEnum):
    """How bad it is."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True)
class Alarm:
    """Something that an operator has to know, and what to do."""

    level: Level
    title: str
    detail: str


@dataclass(frozen=True)
class Overview:
    """Everything that the first page shows.

    Args:
        taken, places: of the enrolment routes.
        accepted: wallets.
        kiosks: that may enrol.
        waiting: open reviews.
        longest: seconds that the first of them has waited.
    """

    decisions: Decisions
    gallery: GalleryStatus
    is_open: bool
    taken: int
    places: int
    accepted: int
    kiosks: int
    waiting: int
    longest: float
    bursts: tuple[Burst, ...]
    alarms: tuple[Alarm, ...] = ()


class OverviewReader:
    """Reads the overview."""

    def __init__(self, operations: Operations, clock: Clock) -> None:
        self._operations = operations
        self._decisions = Fresh(lambda: read_decisions(operations.engine, clock), _FRESH, clock)
        self._status = Fresh(operations.gallery.status, _FRESH_STATUS, clock)
        self._waiting = Fresh(
            lambda: [case.opened_at for case in operations.adjudication.queue()], _FRESH, clock
        )
        self._clock = clock
        self._recent = Fresh(lambda: read_recent(operations, clock()), _FRESH_STATUS, clock)

    def read(self) -> Overview:
        """Read what the first page shows, each part as fresh as it is cheap."""
        shown, waiting = self._operations, self._waiting.get()
        overview = Overview(
            decisions=self._decisions.get(),
            gallery=self._status.get(),
            is_open=shown.gallery.is_open,
            taken=shown.turnstile.taken,
            places=shown.turnstile.places,
            accepted=shown.enrollments.history.added(),
            kiosks=sum(kiosk.revoked_at is None for kiosk in shown.kiosks.all()),
            waiting=len(waiting),
            longest=self._clock() - min(waiting) if waiting else 0.0,
            bursts=self._recent.get().bursts,
        )
        return replace(overview, alarms=tuple(_alarms(overview)))


def read_decisions(engine: Engine, clock: Clock) -> Decisions:
    """Count the decisions of the last hours."""
    now = int(clock()) // _SECONDS_PER_HOUR
    first = now - HOURS + 1
    query = (
        select(OutcomeRow.hour, OutcomeRow.outcome, OutcomeRow.reason, func.count())
        .where(OutcomeRow.hour >= first)
        .group_by(OutcomeRow.hour, OutcomeRow.outcome, OutcomeRow.reason)
    )
    counted = {hour: dict.fromkeys(KINDS, 0) for hour in range(first, now + 1)}
    rejections: dict[str, int] = {}
    with engine.begin() as connection:
        for hour, outcome, reason, count in connection.execute(query):
            if hour in counted and outcome in counted[hour]:
                counted[hour][outcome] += count
            if outcome == REJECTED:
                rejections[reason] = rejections.get(reason, 0) + count
    return Decisions(
        tuple(Hour(hour, counts) for hour, counts in counted.items()),
        dict(sorted(rejections.items(), key=lambda item: (-item[1], item[0]))),
    )


def _alarms(overview: Overview) -> Sequence[Alarm]:
    alarms, gallery = [], overview.gallery
    if not overview.is_open:
        alarms.append(
            Alarm(
                Level.FAULT, "The gallery is closed", "Nobody can be enrolled. Restart the service."
            )
        )
    if gallery.beyond_safe_population:
        alarms.append(
            Alarm(
                Level.FAULT,
                "Beyond the safe population",
                "The error rates are not known any more, and more people go to review. Calibrate "
                "a stronger model, or add a second one.",
            )
        )
    elif gallery.near_safe_population:
        alarms.append(
            Alarm(
                Level.WARNING,
                "Near the safe population",
                "80 % of it is reached. Prepare a stronger model, or a second one.",
            )
        )
    if overview.taken >= _FULL * overview.places:
        alarms.append(
            Alarm(
                Level.WARNING,
                "The service is nearly full",
                "Kiosks will soon be asked to wait. Add cores or a second service.",
            )
        )
    if gallery.saturations:
        alarms.append(
            Alarm(
                Level.WARNING,
                "Faces that resemble too many",
                f"{gallery.saturations} captures were near more templates than are listed. More "
                "than a few say that the thresholds are too low.",
            )
        )
    if overview.longest > _LONG:
        alarms.append(
            Alarm(
                Level.WARNING,
                "People wait for a review",
                f"The first of {overview.waiting} has waited {overview.longest // _DAY:.0f} days. "
                "Two adjudicators are needed.",
            )
        )
    for burst in overview.bursts:
        alarms.append(
            Alarm(
                Level.WARNING,
                f"Many {burst.what} at {burst.place}",
                f"{burst.share:.0%} of the attempts of the last day, against {burst.others:.1%} at "
                "all others. Look at the camera and the light, and at who stands there.",
            )
        )
    return alarms
