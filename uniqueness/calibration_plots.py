"""Pictures of a calibration, told apart without colour: in print, in grey, by line and hatch."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from uniqueness.calibration import Calibration
from uniqueness.generalized_pareto import GeneralizedPareto, mean_excess
from uniqueness.measurement import Measurement
from uniqueness.score_model import fpir_of_one_rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GALLERIES = np.logspace(2, 8, 25)
_TRADE_GALLERIES = (10**3, 10**4, 10**5, 10**6)
_LINES = ("-", "--", "-.", ":")
_DRAWN_POINTS = 2000


def write_plots(measurement: Measurement, directory: Path) -> list[Path]:
    """Write four PNG files and give their paths: scores, tail, FPIR by size, misses by FPIR."""
    directory.mkdir(parents=True, exist_ok=True)
    calibration = measurement.calibration
    figures = {
        "scores": _scores(measurement),
        "tail": _tail(measurement),
        "fpir-by-gallery": fpir_by_gallery(calibration),
        "misses-by-fpir": misses_by_fpir(calibration),
    }
    paths = []
    for name, figure in figures.items():
        paths.append(directory / f"{name}.png")
        figure.savefig(paths[-1], format="png", dpi=150)
    return paths


def _figure(columns: int = 1) -> tuple["Figure", list["Axes"]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8 if columns == 1 else 4.5 * columns, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def _scale(calibration: Calibration) -> str:
    return "cosine similarity" if calibration.fusion is None else "fused log-likelihood ratio"


def _scores(measurement: Measurement) -> "Figure":
    """Densities of strangers and of those who come again, with thresholds of two sizes."""
    figure, (axes,) = _figure()
    compared, calibration = measurement.comparisons, measurement.calibration
    edges, counts = compared.edges[::10], compared.counts.reshape(-1, 10).sum(axis=1)
    width = np.diff(edges)
    genuine = np.histogram(compared.genuine, edges)[0]
    for numbers, face, hatch, name in [
        (counts, "0.8", "", "two people"),
        (genuine, "none", "////", "one person"),
    ]:
        density = numbers / numbers.sum() / width
        axes.bar(
            edges[:-1], density, width, align="edge", facecolor=face, hatch=hatch,
            edgecolor="0.2", linewidth=0.4, label=name,
        )  # fmt: skip
    sizes = sorted({10**3, min(10**6, max(10**4, calibration.safe_population))})
    for size, style in zip(sizes, ("--", "-"), strict=False):
        thresholds = calibration.at(size)
        axes.axvline(thresholds.review, color="0", linestyle=style, label=f"review from, {size:,}")
        axes.axvline(
            thresholds.duplicate, color="0.5", linestyle=style, label=f"duplicate from, {size:,}"
        )
    seen = edges[:-1][(counts + genuine) > 0]
    axes.set(
        yscale="log", xlim=(seen.min(), seen.max() + 2 * width[0]), ylabel="density",
        xlabel=_scale(calibration), title="Scores of labelled photographs",
    )  # fmt: skip
    axes.legend(fontsize="small", loc="upper left")
    return figure


def _tail(measurement: Measurement) -> "Figure":
    """Quantiles against the fit, mean excess, and the shape by where the tail begins."""
    figure, (quantiles, excess, stability) = _figure(3)
    fitted = measurement.fitted
    estimate = fitted.model.estimate
    observed = fitted.excesses()
    n = observed.size
    shown = np.unique(np.geomspace(1, n, min(n, _DRAWN_POINTS)).astype(int)) - 1
    expected = GeneralizedPareto(estimate.shape, estimate.scale).excess((shown + 0.5) / n)
    quantiles.plot(expected, observed[shown], "o", color="0.3", markersize=2)
    quantiles.plot(expected, expected, "-", color="0", linewidth=0.8)
    quantiles.set(xlabel="excess by the fit", ylabel="observed excess", title="Quantiles")

    common = fitted.sample.common.scores
    begin = fitted.sample.common.score(2 * fitted.checks[0].share)
    thresholds = np.linspace(float(begin), common[min(60, common.size - 1)], 60)
    excess.plot(thresholds, mean_excess(common, thresholds), color="0")
    excess.axvline(estimate.start, color="0.5", linestyle="--", label="tail begins")
    excess.set(xlabel="threshold, common scale", ylabel="mean excess", title="Mean excess")
    excess.legend(fontsize="small", loc="upper center")

    shares = [check.share for check in fitted.checks]
    stability.errorbar(
        shares, [check.shape for check in fitted.checks],
        yerr=[1.96 * check.shape_error for check in fitted.checks],
        fmt="o", color="0", capsize=3,
    )  # fmt: skip
    stability.axvline(shares[fitted.chosen], color="0.5", linestyle="--", label="chosen")
    stability.set(
        xscale="log", xlabel="share of scores in the tail", ylabel="shape, 95 %",
        title="Stability of the shape",
    )  # fmt: skip
    stability.xaxis.set_minor_formatter("")
    stability.set_xticks(shares, [f"{share:.2%}" for share in shares])
    stability.legend(fontsize="small", loc="upper center")
    return figure


def fpir_by_gallery(calibration: Calibration, size: int | None = None) -> "Figure":
    """At the review threshold of one size, how false positives grow with the gallery.

    Args:
        calibration: of the gallery.
        size: of the gallery; the safe population, between a thousand and a million, if left out.
    """
    figure, (axes,) = _figure()
    size = size or min(10**6, max(10**3, calibration.safe_population))
    threshold = calibration.at(size).review
    impostors = calibration.impostors
    rate = impostors.false_match_rate(threshold)
    own = [impostors.fpir(threshold, int(n)) for n in _GALLERIES]
    bands = np.array([impostors.fpir_interval(threshold, int(n)) for n in _GALLERIES])
    axes.fill_between(_GALLERIES, *bands.T, color="0.85", label="95 % interval")
    axes.plot(_GALLERIES, own, "-", color="0", label="each probe's own rate (used)")
    one = [fpir_of_one_rate(rate, int(n)) for n in _GALLERIES]
    axes.plot(_GALLERIES, one, "--", color="0", label="one rate for all")
    axes.axhline(calibration.targets.review_fpir, color="0.5", linestyle=":", label="target")
    axes.axvline(size, color="0.5", linestyle="-.", label=f"threshold set for {size:,}")
    axes.set(
        xscale="log", yscale="log", ylim=(1e-6, 1.5), xlabel="people in the gallery",
        ylabel="new people to review (FPIR)", title=f"Review from {threshold:.3f}",
    )  # fmt: skip
    axes.legend(fontsize="small", loc="lower right")
    return figure


def misses_by_fpir(calibration: Calibration) -> "Figure":
    """The detection error trade-off: what a false positive rate costs in misses, by size."""
    figure, (axes,) = _figure()
    targets = np.logspace(-4, -1, 13)
    for size, style in zip(_TRADE_GALLERIES, _LINES, strict=True):
        at = [calibration.impostors.threshold(float(target), size) for target in targets]
        misses = [calibration.misses.rate(threshold).estimate for threshold in at]
        axes.plot(targets, misses, style, color="0", label=f"{size:,} people")
    allowed = calibration.targets.max_fnir
    axes.axhline(allowed, color="0.6", linewidth=3, label="most that may be missed")
    axes.set(
        xscale="log", yscale="log", xlabel="new people to review (FPIR)",
        ylabel="people missed who come again (FNIR)",
        title="What a target costs (detection error trade-off)",
    )  # fmt: skip
    axes.legend(fontsize="small", loc="lower left")
    return figure
