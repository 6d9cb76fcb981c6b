"""The scores of new people with whoever is nearest to them, and the tail of strangers' scores.

The service counts the best score of each probe that was found new. Where strangers' scores above a
start are a generalised Pareto tail, of N strangers the nearest scores at most x with probability

    P(nearest <= x) = exp(-N f(x)),    f(x) = rate * survival(x - start)

(Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001, section 7.5), f being the
false match rate. So its three parameters can be had from the nearest scores alone, whose counts end
at the review threshold: what lies above was no plainly new person. The likelihood is that of
grouped counts, given that they lie below the end. Its maximum may be a tail that ends just behind
the data, which would call the impossible certain; so the parameters are averaged over their
posterior on a grid, with a prior of N(0, 0.15) on the shape (as Coles and Dixon, 1999, penalise
it), and intervals are the posterior's. Everyone is taken to be like everyone, as a calibration does
not (`uniqueness.score_model`): this is a check of it by people who came, and no substitute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from uniqueness.generalized_pareto import survival

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

FEWEST_ABOVE: Final = 100
_FEWEST_BINS = 4
_SHAPES: Final = np.linspace(-0.5, 0.5, 41)
_LOG_SCALES: Final = np.linspace(-2.0, 2.5, 73)  # about the logarithm of the mean excess
_RATES = 41
_PRIOR_SHAPE = 0.15  # standard deviation
_DRAWS = 4000
_SEED = 20061


@dataclass(frozen=True)
class Extrapolated:
    """What a threshold does to new people.

    Args:
        score: the threshold.
        false_match_rate: share of strangers who reach it.
        false_match_rate_low: of the 95 % interval.
        false_match_rate_high: likewise.
        fpir: share of new people who meet such a stranger.
        fpir_low: of the 95 % interval.
        fpir_high: likewise.
    """

    score: float
    false_match_rate: float
    false_match_rate_low: float
    false_match_rate_high: float
    fpir: float
    fpir_low: float
    fpir_high: float


@dataclass(frozen=True, eq=False)
class NearestImpostors:
    """The tail of strangers' scores, from the nearest ones.

    Args:
        samples: probes that were found new and scored below the end.
        start: score at which the tail begins; half of the probes lie above it.
        end: score up to which all probes are counted.
        above: probes between the two.
        shape: of the tail; median of the posterior, as the next two.
        scale: of the tail.
        rate: share of strangers who reach the start.
        draws: (d, 3) shape, scale and rate, drawn from the posterior.
    """

    samples: int
    start: float
    end: float
    above: int
    shape: float
    scale: float
    rate: float
    draws: Array = field(repr=False)

    def reaching(self, score: float, gallery_size: int) -> Extrapolated:
        """What a threshold does in a gallery of some size.

        Args:
            score: from the tail's start on.
            gallery_size: people whom a probe is compared with.
        """
        shapes, scales, rates = self.draws.T
        beyond = np.empty_like(scales)
        for shape in np.unique(shapes):
            of = shapes == shape
            beyond[of] = survival((score - self.start) / scales[of], float(shape))
        low, middle, high = np.percentile(rates * beyond, [2.5, 50.0, 97.5]).tolist()
        fpir = [-float(np.expm1(-gallery_size * rate)) for rate in (middle, low, high)]
        return Extrapolated(score, middle, low, high, *fpir)


def nearest_impostors(
    histogram: Mapping[int, int], *, width: float, end: float, galleries: tuple[float, float]
) -> NearestImpostors | None:
    """Fit the tail to a histogram.

    Args:
        histogram: bin b, holding b * width <= score < (b + 1) * width, to number of probes.
        width: of a bin.
        end: the lowest review threshold that was applied.
        galleries: people whom the first and the last probe were compared with; the gallery grew
            evenly between the two.

    Returns:
        None where fewer than 100 probes or four bins lie in the tail.
    """
    last = int(np.floor(end / width + 1e-9))  # a bin that the end divides is left out
    first = min(histogram, default=last)
    counts = np.array([histogram.get(b, 0) for b in range(first, last)], np.int64)
    below = np.cumsum(counts)
    begin = int(np.searchsorted(below, below[-1] / 2)) + 1 if counts.size else 0
    if counts.size - begin < _FEWEST_BINS or below[-1] - below[begin - 1] < FEWEST_ABOVE:
        return None
    tail = np.concatenate([[below[begin - 1]], counts[begin:]])
    draws = _posterior(width, tail, galleries)
    shape, scale, rate = np.median(draws, axis=0).tolist()
    return NearestImpostors(
        samples=int(below[-1]),
        start=(first + begin) * width,
        end=last * width,
        above=int(tail[1:].sum()),
        shape=shape,
        scale=scale,
        rate=rate,
        draws=draws,
    )


def _posterior(width: float, counts: Counts, galleries: tuple[float, float]) -> Array:
    """(d, 3) draws of shape, scale and rate; the first count is of all below the start."""
    edges = width * np.arange(counts.size)
    samples, above = counts.sum(), counts[1:]
    mean = float(above @ (edges[1:] + edges[:-1])) / 2 / above.sum()
    scales = mean * np.exp(_LOG_SCALES)
    rates = _rates_about(counts[0] / samples, int(samples), galleries)
    logs = np.empty((_SHAPES.size, scales.size, rates.size))
    for place, shape in enumerate(_SHAPES):
        beyond = survival(edges[None, :] / scales[:, None], float(shape))
        below = _below(rates[None, :, None] * beyond[:, None, :], galleries)
        shares = np.diff(below, axis=2, prepend=0.0) / below[:, :, -1:]
        logs[place] = np.log(np.maximum(shares, 1e-12)) @ counts
    logs -= (_SHAPES[:, None, None] / _PRIOR_SHAPE) ** 2 / 2
    weights = np.exp(logs - logs.max()).ravel()
    drawn = np.random.default_rng(_SEED).choice(weights.size, _DRAWS, p=weights / weights.sum())
    shape, scale, rate = np.unravel_index(drawn, logs.shape)
    return np.column_stack([_SHAPES[shape], scales[scale], rates[rate]])


def _rates_about(share: float, samples: int, galleries: tuple[float, float]) -> Array:
    """Rates at which about this share lies below the start, and somewhat higher ones.

    Higher, because of all probes, with those beyond the end, a smaller share lies below.
    """
    low, high = -30.0, 0.0
    for _ in range(60):
        middle = (low + high) / 2
        enough = _below(np.array([np.exp(middle)]), galleries)[0] < share
        low, high = (low, middle) if enough else (middle, high)
    error = 2.0 / np.sqrt(samples)
    return np.asarray(np.exp(np.linspace(low - 5 * error, low + 5 * error + 0.5, _RATES)))


def _below(false_match_rates: Array, galleries: tuple[float, float]) -> Array:
    """P(nearest <= x): the mean of exp(-N f) over galleries N that grew evenly."""
    first, last = galleries
    range_of = (last - first) * false_match_rates
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(range_of > 1e-9, -np.expm1(-range_of) / range_of, 1.0)
    return np.asarray(np.exp(-first * false_match_rates) * spread)
