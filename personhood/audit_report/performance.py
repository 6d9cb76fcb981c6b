"""How often this gallery errs: rates with intervals, and how far they reach."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial

from personhood.audit_report import plots
from personhood.audit_report.section import Plot, Section, Table
from personhood.audit_report.sources import Sources
from uniqueness.audit import ScoreHistogram
from uniqueness.calibration import Expected
from uniqueness.calibration_plots import fpir_by_gallery, misses_by_fpir
from uniqueness.decision import Decision
from uniqueness.metrics.drift import MATERIAL, Drift, Period, drifts
from uniqueness.metrics.error_rates import ErrorRate, operational_rates, worst_attack
from uniqueness.metrics.nearest import Extrapolated, NearestImpostors, nearest_impostors
from uniqueness.metrics.release import released_count
from uniqueness.miss_rates import Rate
from uniqueness.tally import BLOCK_PEOPLE, EARLIER, HISTOGRAM_BINS_PER_UNIT

ATTACKS = frozenset({"presentation_attack_suspected", "frame_reused"})
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
            f"{people:,} people are enrolled. The targets hold up to {safe:,} people "
            f"(95 % interval {low:,} to {high:,}): {people / max(1, safe):.0%} of it is used.",
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


def nearest(sources: Sources) -> Section:
    """The scores of new people with whoever is nearest to them, the tail, and drift."""
    title, name = "Nearest strangers", "nearest"
    histograms = [h for h in sources.gallery.histograms if _is_new(h)]
    if not histograms:
        return Section(
            name,
            title,
            ("gallery", "calibration"),
            text=("Withheld: a histogram leaves the service with a thousand scores, not before.",),
        )
    (histogram, *_), width = histograms, 1 / HISTOGRAM_BINS_PER_UNIT
    thresholds = sources.rule.policy.at(max(1, sources.gallery.people_enrolled))
    blocks = {number: block for number, block in histogram.blocks.items() if number != EARLIER}
    fitted = _tail(sources, blocks)
    text = [
        "Every probe that was found new, by its score with whoever of those enrolled then was "
        "nearest. Kept by bins of a hundredth and by blocks of "
        f"{BLOCK_PEOPLE:,} people, never one by one."
    ]
    reaching: list[Extrapolated] = []
    if fitted:
        size = max(1, sources.gallery.people_enrolled)
        reaching = [fitted.reaching(t, size) for t in (thresholds.review, thresholds.duplicate)]
        text.append(
            f"Above {fitted.start:.2f} strangers' scores follow a generalised Pareto tail of shape "
            f"{fitted.shape:+.2f} and scale {fitted.scale:.3f}; beyond {fitted.end:.2f} it is "
            "extrapolated."
        )
    found = drifts(_periods(blocks))
    return Section(
        name,
        title,
        ("gallery", "calibration"),
        text=tuple(text),
        tables=(*_tail_tables(reaching), *_drift_tables(found)),
        plots=(
            Plot(
                "score-densities",
                "Densities of the best score of each attempt by outcome, with both thresholds",
                partial(plots.score_densities, sources.gallery.histograms, thresholds),
            ),
        ),
        data={
            "histograms": [
                {"outcome": h.outcome, "model": h.model, "counts": h.counts}
                for h in sources.gallery.histograms
            ],
            "bin_width": width,
            "tail": _tail_data(fitted, reaching),
            "drift": [asdict(drift) for drift in found],
        },
        alarms=tuple(
            f"Nearest-stranger scores of {d.period} have drifted: index {d.index:.2f}. Look at "
            "cameras and light, then calibrate again."
            for d in found
            if d.is_alarm
        ),
    )


def _operational(sources: Sources) -> list[ErrorRate]:
    """What the log tells; attacks are counted with the failures where they are few."""
    failures, attacks = operational_rates(sources.events, ATTACKS)
    if released_count(attacks.rate.hits) is not None:
        return [rate for rate in (failures, attacks) if released_count(rate.rate.hits) is not None]
    together, _ = operational_rates(sources.events, ())
    return [together] if released_count(together.rate.hits) is not None else []


def _is_new(histogram: ScoreHistogram) -> bool:
    return histogram.outcome == Decision.UNIQUE.value


def _tail(sources: Sources, blocks: dict[int, dict[int, int]]) -> NearestImpostors | None:
    """Of the counts whose galleries are known; their lowest threshold is the first one's."""
    if not blocks:
        return None
    first, last = min(blocks) * BLOCK_PEOPLE, sources.gallery.open_block * BLOCK_PEOPLE
    counts: dict[int, int] = {}
    for block in blocks.values():
        for number, count in block.items():
            counts[number] = counts.get(number, 0) + count
    return nearest_impostors(
        counts,
        width=1 / HISTOGRAM_BINS_PER_UNIT,
        end=sources.rule.policy.at(max(1, first)).review,
        galleries=(float(first), float(last)),
    )


def _periods(blocks: dict[int, dict[int, int]]) -> list[Period]:
    """Blocks as periods; the first one, whose gallery begins with nobody, is no measure."""
    return [
        Period(
            f"people {number * BLOCK_PEOPLE + 1:,} to {(number + 1) * BLOCK_PEOPLE:,}",
            block,
            (number + 0.5) * BLOCK_PEOPLE,
        )
        for number, block in blocks.items()
        if number > 0
    ]


def _population_alarms(people: int, safe: int) -> tuple[str, ...]:
    if people > safe:
        return (f"The gallery is larger than its safe population of {safe:,}.",)
    if people >= _NEAR * safe:
        return (f"The gallery has reached {people / safe:.0%} of its safe population.",)
    return ()


def _rate_table(caption: str, rates: Iterable[ErrorRate]) -> Table:
    rows = [
        (
            f"{_NAMES[rate.measure]}{f' ({rate.kind})' if rate.kind else ''}",
            _percent(rate.rate.estimate),
            f"{_percent(rate.rate.low)} to {_percent(rate.rate.high)}",
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


def _with_interval(rate: Rate) -> tuple[str, str]:
    return _percent(rate.estimate), f"{_percent(rate.low)} to {_percent(rate.high)}"


def _tail_tables(reaching: list[Extrapolated]) -> tuple[Table, ...]:
    if not reaching:
        return ()
    rows = tuple(
        (
            name,
            f"{at.score:.3f}",
            f"{at.false_match_rate:.1e}",
            f"{at.false_match_rate_low:.1e} to {at.false_match_rate_high:.1e}",
            _percent(at.fpir),
            f"{_percent(at.fpir_low)} to {_percent(at.fpir_high)}",
        )
        for name, at in zip(("review", "duplicate"), reaching, strict=True)
    )
    head = ("threshold", "score", "false match rate", "95 %", "FPIR at this size", "95 %")
    return (Table("Extrapolated from the people who came", head, rows),)


def _drift_tables(found: tuple[Drift, ...]) -> tuple[Table, ...]:
    if not found:
        return ()
    rows = tuple(
        (
            drift.period,
            f"{drift.samples:,}",
            f"{drift.index:.3f}",
            f"{drift.limit:.3f}",
            "ALARM" if drift.is_alarm else "none",
        )
        for drift in found
    )
    caption = f"Drift (population stability index; an alarm is above the limit and {MATERIAL})"
    return (Table(caption, ("block", "scores", "index", "limit", "alarm"), rows),)


def _tail_data(
    fitted: NearestImpostors | None, reaching: list[Extrapolated]
) -> dict[str, object] | None:
    if fitted is None:
        return None
    names = ("samples", "start", "end", "above", "shape", "scale", "rate")
    return {name: getattr(fitted, name) for name in names} | {
        "thresholds": [asdict(at) for at in reaching]
    }


def _as_data(rate: ErrorRate) -> dict[str, object]:
    counted = asdict(rate.rate)
    counted["estimate"] = None if math.isnan(rate.rate.estimate) else rate.rate.estimate
    return {"measure": rate.measure, "kind": rate.kind, "source": rate.source, **counted}


def _rate_data(rate: Rate) -> dict[str, float]:
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high}


def _percent(share: float) -> str:
    if math.isnan(share):
        return "-"
    return f"{100 * share:.3g} %" if share < 0.01 else f"{100 * share:.2f} %"
