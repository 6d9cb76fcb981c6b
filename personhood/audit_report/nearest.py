"""How near strangers come: the people who came, the tail of their scores, and drift."""

from dataclasses import asdict
from functools import partial

from personhood.audit_report import plots
from personhood.audit_report.section import Plot, Section, Table, percent
from personhood.audit_report.sources import Sources
from uniqueness.audit import ScoreHistogram
from uniqueness.decision import Decision
from uniqueness.metrics.drift import MATERIAL, Drift, Period, drifts
from uniqueness.metrics.nearest import Extrapolated, NearestImpostors, nearest_impostors
from uniqueness.tally import BLOCK_PEOPLE, EARLIER, HISTOGRAM_BINS_PER_UNIT


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


def _is_new(histogram: ScoreHistogram) -> bool:
    return histogram.outcome == Decision.UNIQUE.value


def _tail(sources: Sources, blocks: dict[int, dict[int, int]]) -> NearestImpostors | None:
    """Of the counts whose galleries are known.

    As the gallery grew its review threshold rose, so that counts end lower for the first people.
    They are taken to end at that of an eighth of the first block: of those who came before, about
    one in a hundred is missing above theirs (the calibration's target), one in a thousand of all.
    """
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
        end=sources.rule.policy.at(first + BLOCK_PEOPLE // 8).review,
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


def _tail_tables(reaching: list[Extrapolated]) -> tuple[Table, ...]:
    if not reaching:
        return ()
    rows = tuple(
        (
            name,
            f"{at.score:.3f}",
            f"{at.false_match_rate:.1e}",
            f"{at.false_match_rate_low:.1e} to {at.false_match_rate_high:.1e}",
            percent(at.fpir),
            f"{percent(at.fpir_low)} to {percent(at.fpir_high)}",
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
