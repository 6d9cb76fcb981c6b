"""How often this gallery errs: rates with intervals, and how far they reach."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial

from personhood.audit_report.counts import ATTACKS
from personhood.audit_report.section import Plot, Section, Table, percent
from personhood.audit_report.sources import Sources
from uniqueness.calibration import Expected
from uniqueness.calibration_plots import fpir_by_gallery, misses_by_fpir
from uniqueness.metrics.activity import REJECTED
from uniqueness.metrics.error_rates import (
    ErrorRate,
    adjudicated_fpir,
    operational_rates,
    worst_attack,
)
from uniqueness.metrics.release import released_count
from uniqueness.miss_rates import Rate

_EVERYBODY = 10**10  # more people than there are
_NEAR = 0.8  # of the safe population
_NAMES = {
    "fpir": "FPIR, a new person taken for somebody",
    "fnir": "FNIR, somebody taken for a new person",
    "fta": "FTA, an attempt without a usable photograph",
    "fte": "FTE, a person without a usable photograph",
    "apcer": "APCER, an attack let through",
    "bpcer": "BPCER, a person refused as an attack",
}


def error_rates(sources: Sources) -> Section:
    """FTA, FTE, APCER, BPCER and what else was counted, each with its interval and n."""
    counted = _operational(sources)
    worst = worst_attack(sources.trials)
    text = [
        "Each rate stands with its exact 95 % interval (Clopper and Pearson, 1934) and n, after "
        "ISO/IEC 19795-1, ISO/IEC 30107-3 and NIST FRTE 1:N.",
    ]
    missing = [m.upper() for m in _NAMES if m not in {r.measure for r in sources.trials}]
    if missing:
        text.append(
            f"No trial with known people was given for {', '.join(missing)}: a service does not "
            "know who is who, so only --trial FILE can tell these from the outside."
        )
    if worst:
        text.append(f"The APCER of the system is that of its worst kind of attack: {worst.kind}.")
    return Section(
        name="error_rates",
        title="Error rates that were counted",
        basis=("log", "trials"),
        text=tuple(text),
        tables=(_rate_table("Counted", [*sources.trials, *counted]),),
        data={"rates": [_as_data(rate) for rate in [*sources.trials, *counted]]},
    )


def expected(sources: Sources) -> Section:
    """FPIR and FNIR at this size by the calibration, and up to which size they hold."""
    people, calibration = sources.gallery.people_enrolled, sources.calibration
    if calibration is None:
        return Section(
            name="expected",
            title="What to expect at this size",
            basis=("calibration", "gallery"),
            text=("The thresholds are the pack's own. Nothing is known of their error rates.",),
            alarms=("No calibration is set: the error rates of this gallery are not known.",),
        )
    size = max(1, people)
    now, safe = calibration.expected(size), calibration.safe_population
    low, high = calibration.safe_population_interval
    sizes = sorted({size, 2 * size, 10 * size, max(1, safe)})
    return Section(
        name="expected",
        title="What to expect at this size",
        basis=("calibration", "gallery"),
        text=(
            f"{people:,} people are enrolled. The targets hold up to {safe:,} people (95 % "
            f"interval {low:,} to {_people(high)}): {100 * people / max(1, safe):.0f} % of it is "
            "used.",
            "FPIR is the share of new people who are sent to review or refused by mistake, FNIR "
            "the share of those who come again and are taken for new. FPIR's interval is a "
            f"bootstrap over the {calibration.data.people:,} people of the calibration "
            f"({calibration.data.impostor_pairs:,} pairs of strangers), FNIR's is Wilson's over "
            f"the {calibration.misses.people:,} of them with two photographs.",
        ),
        tables=(_expected_table([calibration.expected(n) for n in sizes]),),
        plots=(
            Plot(
                "fpir-by-gallery",
                "FPIR at the present review threshold by size of the gallery, with its 95 % band",
                partial(fpir_by_gallery, calibration, size),
            ),
            Plot(
                "detection-error-trade-off",
                "FNIR by FPIR for galleries of several sizes",
                partial(misses_by_fpir, calibration),
            ),
        ),
        data={
            "people": people,
            "safe_population": safe,
            "safe_population_interval": [low, high],
            "targets": asdict(calibration.targets),
            "review_fpir": _rate_data(now.review_fpir),
            "duplicate_fpir": _rate_data(now.duplicate_fpir),
            "fnir": _rate_data(now.missed) | {"n": calibration.misses.people},
        },
        alarms=_population_alarms(people, safe),
    )


def _operational(sources: Sources) -> list[ErrorRate]:
    """What the log tells, of what may be told: attacks with the failures where one is withheld."""
    counts, rates = sources.counts, list[ErrorRate]()
    if counts.attempts is not None and counts.total(REJECTED) is not None:
        apart = counts.attacks is not None and counts.failures is not None
        found = operational_rates(sources.events, ATTACKS if apart else ())
        rates += found if apart else found[:1]
    reviewed = adjudicated_fpir(sources.events)
    if counts.total("unique") is not None and released_count(reviewed.rate.hits) is not None:
        rates.append(reviewed)
    return rates


def _population_alarms(people: int, safe: int) -> tuple[str, ...]:
    if people > safe:
        return (f"The gallery is larger than its safe population of {safe:,}.",)
    if people >= _NEAR * safe:
        return (f"The gallery has reached {100 * people / safe:.0f} % of its safe population.",)
    return ()


def _rate_table(caption: str, rates: Iterable[ErrorRate]) -> Table:
    rows = [
        (
            f"{_NAMES[rate.measure]}{f' ({rate.kind})' if rate.kind else ''}",
            percent(rate.rate.estimate),
            f"{percent(rate.rate.low)} to {percent(rate.rate.high)}",
            f"{rate.rate.trials:,}",
            rate.source,
        )
        for rate in rates
    ]
    return Table(caption, ("rate", "estimate", "95 % interval", "n", "source"), tuple(rows))


def _expected_table(rows: Iterable[Expected]) -> Table:
    head = ("people", "FPIR, to review", "95 %", "FPIR, refused", "95 %", "FNIR", "95 %", "targets")
    return Table(
        "By the calibration",
        head,
        tuple(
            (
                f"{row.gallery_size:,}",
                *_with_interval(row.review_fpir),
                *_with_interval(row.duplicate_fpir),
                *_with_interval(row.missed),
                "hold" if row.holds_targets else "missed",
            )
            for row in rows
        ),
    )


def _people(count: int) -> str:
    return f"{count:,}" if count < _EVERYBODY else "more people than there are"


def _with_interval(rate: Rate) -> tuple[str, str]:
    return percent(rate.estimate), f"{percent(rate.low)} to {percent(rate.high)}"


def _as_data(rate: ErrorRate) -> dict[str, object]:
    counted = asdict(rate.rate)
    counted["estimate"] = None if math.isnan(rate.rate.estimate) else rate.rate.estimate
    return {"measure": rate.measure, "kind": rate.kind, "source": rate.source, **counted}


def _rate_data(rate: Rate) -> dict[str, float]:
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high}
