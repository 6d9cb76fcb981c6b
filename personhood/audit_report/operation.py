"""What happened: outcomes, reasons, kiosks, operators and days, bursts, queues."""

import datetime
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from enrollment.errors import FrameMirrored, PosesMirrored
from personhood.audit_report import plots
from personhood.audit_report.section import WITHHELD, Plot, Section, Table
from personhood.audit_report.sources import Sources
from uniqueness.metrics.activity import (
    OTHERS,
    OUTCOMES,
    REJECTED,
    Activity,
    Event,
    groups_with_many,
)
from uniqueness.metrics.alarms import ALPHA
from uniqueness.metrics.rates import counted_rate
from uniqueness.metrics.release import SMALLEST_CELL, Released, released_count
from uniqueness.tally import REMOVED, SATURATED

MIRRORED: Final = (FrameMirrored.code, PosesMirrored.code)
_LONG_QUEUE = 7 * 24 * 3600  # seconds
_EPOCH = datetime.date(1970, 1, 1)
_WITHHELD_NOTE = (
    f"{WITHHELD} is a count of 1 to {SMALLEST_CELL - 1}, or one that would give such a count back."
)


def outcomes(sources: Sources) -> Section:
    """Outcomes of all attempts, by kiosk and by time, and reasons of rejections."""
    counts = sources.counts
    found, shown = counts.activity, counts.table
    total, kiosks = shown[-1, -1], len(found.kiosks)
    labels = _labels(found)
    return Section(
        name="outcomes",
        title="What became of attempts",
        basis=("log",),
        text=(
            f"A person may make several attempts. {_WITHHELD_NOTE} An operator answers for the "
            "kiosks that they invited.",
            _mirrored_text(counts.reasons),
        ),
        tables=(
            _outcome_table(total),
            Table(
                "Outcomes by kiosk",
                ("kiosk", *OUTCOMES, "attempts"),
                _rows((*labels, "all"), [*shown[:kiosks, -1], total]),
            ),
            Table(
                "Outcomes by operator",
                ("operator", *OUTCOMES, "attempts"),
                _rows((*found.group_names, "all"), shown[kiosks:, -1]),
            ),
            Table(
                "Rejections by reason",
                ("reason", "attempts"),
                tuple((name, _cell(count)) for name, count in counts.reasons.items()),
            ),
        ),
        plots=_over_time(found, labels, shown),
        data={
            "outcomes": dict(zip((*OUTCOMES, "attempts"), total, strict=True)),
            "reasons": dict(counts.reasons),
            "mirrored": _mirrored(counts.reasons),
            "kiosks": [*labels, "all"],
            "operators": [*found.group_names, "all"],
            "operator_of_kiosk": list(found.operators),
            "spans": [*map(_date, found.first_days), "all"],
            "days_in_a_span": found.days,
            "by_kiosk_span_and_outcome": [*shown[:kiosks].tolist(), shown[-1].tolist()],
            "by_operator_span_and_outcome": shown[kiosks:].tolist(),
        },
    )


def bursts(sources: Sources) -> Section:
    """Kiosks, operators and days that stand out."""
    alarms = [
        (where, alarm.group, what)
        for what, is_hit in _LOOKED_FOR.items()
        for where, group in _GROUPS.items()
        for alarm in groups_with_many(sources.counts.events, group, is_hit)
    ]
    return Section(
        name="bursts",
        title="Bursts",
        basis=("log",),
        text=(
            "A kiosk, an operator or a day is named when it has more duplicates, rejections or "
            "mirrored captures than all others explain: Fisher's exact test, one-sided, with "
            "Holm's correction. Where nobody differs, somebody is named in one of "
            f"{round(1 / ALPHA)} tables. Names alone are told: a rate would give withheld counts "
            "back.",
            *(() if alarms else ("Nobody stands out.",)),
        ),
        tables=(Table("Who stands out", ("what", "who", "by attempts that were"), tuple(alarms)),),
        data={
            "alarms": [
                {"where": where, "group": group, "outcome": what} for where, group, what in alarms
            ]
        },
        alarms=tuple(
            f"{where.capitalize()} {group} has more attempts that were {what} than all others "
            "explain."
            for where, group, what in alarms
        ),
    )


def gallery(sources: Sources) -> Section:
    """Who is enrolled, and what the index met with."""
    counted = sources.gallery.outcomes
    saturated = counted.get(SATURATED, 0)
    counts = {
        "people": sources.gallery.people_enrolled,
        "removed": released_count(counted.get(REMOVED, 0)),
        "same_batch": released_count(sources.gallery.same_batch),
        "saturated": released_count(saturated),
    }
    searches = sum(counted.get(kind, 0) for kind in OUTCOMES if kind != REJECTED)
    crowded = saturated >= SMALLEST_CELL and saturated >= searches / 1000
    return Section(
        name="gallery",
        title="The gallery",
        basis=("gallery",),
        text=(
            f"{_cell(counts['people'])} people are enrolled; {_cell(counts['removed'])} were "
            f"removed. {_cell(counts['same_batch'])} attempts resembled somebody who came at the "
            f"same moment. {_cell(counts['saturated'])} were near so many people that all of "
            "these had to be listed.",
        ),
        data=counts,
        alarms=("Many people are near a crowd: the thresholds may be too low.",) if crowded else (),
    )


def queue(sources: Sources) -> Section:
    """How long people wait for a decision."""
    ages = sources.queue
    text = (
        f"{_cell(released_count(ages.waiting))} wait for a review; half of them longer than "
        f"{_age(ages.median)}, the first since {_age(ages.oldest)}."
    )
    return Section(
        name="queue",
        title="Reviews that wait",
        basis=("moment",),
        text=(text if ages.waiting else "Nobody waits for a review.",),
        data={
            "waiting": released_count(ages.waiting),
            "median_hours": ages.median // 3600,
            "p95_hours": ages.p95 // 3600,
            "oldest_hours": ages.oldest // 3600,
        },
        alarms=(f"A review waits since {_age(ages.oldest)}.",) if ages.oldest > _LONG_QUEUE else (),
    )


_LOOKED_FOR: Final[Mapping[str, Callable[[Event], bool]]] = {
    "duplicate": lambda event: event.kind == "duplicate",
    "rejected": lambda event: event.kind == REJECTED,
    "mirrored": lambda event: event.kind == REJECTED and event.reason in MIRRORED,
}
_GROUPS: Final[Mapping[str, Callable[[Event], str]]] = {
    "kiosk": lambda event: event.kiosk,
    "operator": lambda event: event.operator,
    "day": lambda event: _date(event.day),
}


def _labels(found: Activity) -> list[str]:
    """The kiosks' names; the less busy ones of several operators are told apart by these."""
    several = found.kiosks.count(OTHERS) > 1
    return [
        f"{kiosk} of {operator}" if several and kiosk == OTHERS else kiosk
        for kiosk, operator in zip(found.kiosks, found.operators, strict=True)
    ]


def _mirrored(by_reason: Mapping[str, int | None]) -> int | None:
    """The sum of what may be told one by one, so that it gives nothing back."""
    counts = [by_reason.get(code, 0) for code in MIRRORED]
    return None if None in counts else sum(count or 0 for count in counts)


def _mirrored_text(by_reason: Mapping[str, int | None]) -> str:
    image, poses = (_cell(by_reason.get(code, 0)) for code in MIRRORED)
    return (
        f"Mirrored captures: {image} attempts showed the mirror image of a picture that came "
        f"before or beside it, {poses} every pose of the other side."
    )


def _rows(names: tuple[str, ...], lines: Any) -> tuple[tuple[str, ...], ...]:
    return tuple((name, *map(_cell, line)) for name, line in zip(names, lines, strict=True))


def _outcome_table(total: Released) -> Table:
    *counts, attempts = total
    rows = []
    for kind, count in zip(OUTCOMES, counts, strict=True):
        if count is None or not attempts:
            rows.append((kind, _cell(count), WITHHELD, WITHHELD))
            continue
        rate = counted_rate(count, attempts)
        interval = f"{100 * rate.low:.2f} to {100 * rate.high:.2f} %"
        rows.append((kind, _cell(count), f"{100 * rate.estimate:.2f} %", interval))
    rows.append(("attempts", _cell(attempts), "", ""))
    return Table("Outcomes", ("outcome", "attempts", "share", "95 %"), tuple(rows))


def _over_time(found: Activity, labels: list[str], shown: Released) -> tuple[Plot, ...]:
    panels = [plots.Panel(name, shown[place, :-1, :-1]) for place, name in enumerate(labels)]
    if not panels:
        return ()
    alt = "Attempts by outcome over time, a panel for each kiosk"
    days = [_date(day) for day in found.first_days]
    draw = partial(plots.outcomes_over_time, panels, days, found.days)
    return (Plot("outcomes-over-time", alt, draw),)


def _date(day: int) -> str:
    return (_EPOCH + datetime.timedelta(days=day)).isoformat()


def _age(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"


def _cell(count: Any) -> str:
    return WITHHELD if count is None else f"{count:,}"
