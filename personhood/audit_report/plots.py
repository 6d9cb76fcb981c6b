"""Pictures of a report: greys, hatches and labels, so that print and grey lose nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from uniqueness.audit import ScoreHistogram
from uniqueness.decision import Thresholds
from uniqueness.metrics.activity import OUTCOMES
from uniqueness.metrics.release import Released
from uniqueness.tally import HISTOGRAM_BINS_PER_UNIT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from distribution.activity import EpochActivity

_MOST_EPOCHS = 30
_WIDTH = 8.0  # inches
_FACE: Final = {"unique": "0.85", "duplicate": "0.55", "review": "1.0", "rejected": "0.25"}
_HATCH: Final = {"unique": "", "duplicate": "////", "review": "xxxx", "rejected": ""}
_LINE: Final = {"unique": "-", "duplicate": "--", "review": ":"}


@dataclass(frozen=True, eq=False)
class Panel:
    """Outcomes of one kiosk.

    Args:
        name: the kiosk's.
        cells: (s, 4) by span and outcome; None is withheld.
    """

    name: str
    cells: Released


def score_densities(histograms: Sequence[ScoreHistogram], thresholds: Thresholds) -> "Figure":
    """Densities of the best score by outcome, of what was compared most often."""
    figure = _figure(4.0)
    axes = figure.subplots()
    width, model = 1 / HISTOGRAM_BINS_PER_UNIT, histograms[0].model
    highest = 0.0
    for histogram in (h for h in histograms if h.model == model):
        total = sum(histogram.counts.values())
        bins = range(min(histogram.counts), max(histogram.counts) + 1)
        density = [histogram.counts.get(b, 0) / total / width for b in bins]
        edges = [b * width for b in bins] + [(bins[-1] + 1) * width]
        axes.stairs(
            density, edges, color="0", linestyle=_LINE[histogram.outcome],
            fill=False, linewidth=1.4, label=f"{histogram.outcome}, {total:,}",
        )  # fmt: skip
        if histogram.outcome == "unique":
            axes.stairs(density, edges, color="0.9", fill=True, zorder=0)
        highest = max(highest, *density)
    for name, at in (("review", thresholds.review), ("duplicate", thresholds.duplicate)):
        axes.axvline(at, color="0", linewidth=0.8, linestyle="-")
        axes.annotate(
            f"{name} from {at:.3f}", (at, 1.02 * highest), xytext=(-3, 0), fontsize="small",
            textcoords="offset points", rotation=90, ha="right", va="top",
        )  # fmt: skip
    axes.set(
        ylim=(0, 1.08 * highest), xlabel="best score against anyone enrolled before",
        ylabel="density", title="Scores of those who came, by outcome",
    )  # fmt: skip
    axes.legend(fontsize="small", loc="upper left", frameon=False)
    return figure


def outcomes_over_time(panels: Sequence[Panel], spans: Sequence[str], days: int) -> "Figure":
    """Stacked outcomes by span of days, a panel a kiosk; under a span that is withheld, a dot."""
    figure = _figure(max(2.8, 1.0 + 1.4 * len(panels)))
    rows: list[Axes] = list(figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0])
    for axes, panel in zip(rows, panels, strict=True):
        _stack(axes, panel.cells)
        axes.set_title(panel.name, loc="left", fontsize="small")
        axes.margins(x=0.01)
        axes.locator_params(axis="y", nbins=3, integer=True)
    ticks = list(range(0, len(spans), max(1, -(-len(spans) // 8))))
    rows[-1].set_xticks(ticks, [spans[tick] for tick in ticks], fontsize="small")
    figure.supylabel(f"attempts in {days} {'day' if days == 1 else 'days'}", fontsize="medium")
    labelled = zip(*rows[0].get_legend_handles_labels(), strict=True)
    handles, labels = zip(*sorted(labelled, key=lambda pair: pair[1] not in OUTCOMES), strict=True)
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(labels), fontsize="small",
        frameon=False,
    )  # fmt: skip
    return figure


def claims_by_epoch(epochs: Sequence["EpochActivity"], unit: int) -> "Figure":
    """Coins paid within the budget of each epoch."""
    figure = _figure(3.4)
    axes = figure.subplots()
    shown = list(epochs)[-_MOST_EPOCHS:]
    places = range(len(shown))
    budgets, paid = [e.budget / unit for e in shown], [e.paid / unit for e in shown]
    axes.bar(places, budgets, 0.7, facecolor="1.0", edgecolor="0", linewidth=1, label="budget")
    axes.bar(
        places, paid, 0.7, facecolor="0.7", hatch="////", edgecolor="0.2", linewidth=0, label="paid"
    )
    for place, epoch in zip(places, shown, strict=True):
        axes.annotate(
            f"{epoch.claims:,} of {epoch.members:,}", (place, epoch.budget / unit),
            xytext=(0, 2), textcoords="offset points", ha="center", fontsize="small",
        )  # fmt: skip
    axes.set_xticks(list(places), [str(epoch.epoch) for epoch in shown])
    axes.set(
        xlabel="epoch",
        ylabel="coins",
        title="Claims against budget",
        xlim=(-0.8, max(len(shown), 4) - 0.2),
    )
    axes.margins(y=0.15)
    figure.legend(fontsize="small", loc="outside upper right", ncols=2, frameon=False)
    return figure


def _stack(axes: "Axes", cells: Released) -> None:
    places = list(range(len(cells)))
    bottom = [0] * len(places)
    for column, outcome in enumerate(OUTCOMES):
        counts = [line[column] or 0 for line in cells]
        axes.bar(
            places, counts, 0.85, bottom=bottom, label=outcome, facecolor=_FACE[outcome],
            hatch=_HATCH[outcome], edgecolor="0.1", linewidth=0.5,
        )  # fmt: skip
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    withheld = [place for place, line in zip(places, cells, strict=True) if None in line]
    highest = max(bottom) or 1
    below = -0.07 * highest
    label = "withheld, at least in part"
    axes.plot(withheld, [below] * len(withheld), ".", color="0", markersize=4, label=label)
    axes.set_ylim(-0.14 * highest, 1.08 * highest)


def _figure(height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
