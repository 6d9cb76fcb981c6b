"""What happened: outcomes, reasons, kiosks and days, bursts, queues."""

import datetime
from collections import Counter
from functools import partial
from typing import Any

import numpy as np

from personhood.audit_report import plots
from personhood.audit_report.section import WITHHELD, Plot, Section, Table
from personhood.audit_report.sources import Sources
from uniqueness.metrics.activity import (
    OUTCOMES,
    REJECTED,
    Activity,
    Event,
    activity,
    days_with_many,
    kiosks_with_many,
)
from uniqueness.metrics.alarms import ALPHA
from uniqueness.metrics.rates import counted_rate
from uniqueness.metrics.release import SMALLEST_CELL, Released, released, released_count
from uniqueness.tally import REMOVED, SATURATED

UNNAMED = "not named"  # the kiosk of entries that name none
_LONG_QUEUE = 7 * 24 * 3600  # seconds
_EPOCH = datetime.date(1970, 1, 1)
_WITHHELD_NOTE = (
    f"{WITHHELD} is a count of 1 to {SMALLEST_CELL - 1}, or one that would give such a count back."
)


def outcomes(sources: Sources) -> Section:
    """Outcomes of all attempts, by kiosk and by time, and reasons of rejections."""
    events = [_named(event) for event in sources.events]
    found = activity(events)
    shown = released(found.counts)  # every table below is a slice of this one
    total = shown[-1, -1]
    reasons = Counter(e.reason for e in events if e.kind == REJECTED)
    by_reason = dict(
        zip(
            sorted(reasons),
            released(np.array([reasons[name] for name in sorted(reasons)], np.int64)),
            strict=False,
        )
    )
    return Section(
        name="outcomes",
        title="What became of attempts",
        basis=("log",),
        text=(f"A person may make several attempts. {_WITHHELD_NOTE}",),
        tables=(
            _outcome_table(total),
            Table(
                "Outcomes by kiosk",
                ("kiosk", *OUTCOMES, "attempts"),
                tuple(
                    (name, *map(_cell, line))
                    for name, line in zip((*found.kiosks, "all"), shown[:, -1], strict=True)
                ),
            ),
            Table(
                "Rejections by reason",
                ("reason", "attempts"),
                tuple((name, _cell(count)) for name, count in by_reason.items()),
            ),
        ),
        plots=_over_time(found, shown),
        data={
            "outcomes": dict(zip((*OUTCOMES, "attempts"), total, strict=True)),
            "reasons": by_reason,
            "kiosks": [*found.kiosks, "all"],
            "spans": [*map(_date, found.first_days), "all"],
            "days_in_a_span": found.days,
            "by_kiosk_span_and_outcome": shown.tolist(),
        },
    )


def bursts(sources: Sources) -> Section:
    """Kiosks and days that stand out."""
    events = [_named(event) for event in sources.events]
    alarms = [
        (where, _date(int(alarm.group)) if where == "day" else alarm.group, kind)
        for kind in ("duplicate", REJECTED)
        for where, found in (
            ("kiosk", kiosks_with_many(events, kind)),
            ("day", days_with_many(events, kind)),
        )
        for alarm in found
    ]
    return Section(
        name="bursts",
        title="Bursts",
        basis=("log",),
        text=(
            "A kiosk, or a day, is named when it has more duplicates or rejections than all "
            "others explain: Fisher's exact test, one-sided, with Holm's correction. Where nobody "
            f"differs, somebody is named in one of {round(1 / ALPHA)} tables. Names alone are "
            "told: a rate would give withheld counts back.",
            *(() if alarms else ("Nobody stands out.",)),
        ),
        tables=(Table("Who stands out", ("what", "who", "by attempts that were"), tuple(alarms)),),
        data={
            "alarms": [
                {"where": where, "group": group, "outcome": kind} for where, group, kind in alarms
            ]
        },
        alarms=tuple(
            f"{where.capitalize()} {group} has more attempts that came to {kind} than all others "
            "explain."
            for where, group, kind in alarms
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


def _named(event: Event) -> Event:
    return event if event.kiosk else Event(event.kind, event.reason, event.hour, UNNAMED)


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


def _over_time(found: Activity, shown: Released) -> tuple[Plot, ...]:
    panels = [plots.Panel(name, shown[place, :-1, :-1]) for place, name in enumerate(found.kiosks)]
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
