"""Whether new people's nearest-impostor scores lie where they lay before.

Cameras age, light changes, a model is updated: then the calibration speaks of other photographs.
As a gallery grows its nearest strangers come nearer, which is no drift: the first period's
distribution F is taken to the later gallery's size as F ** (size / first size), which is exact
where everyone is like everyone. Then the population stability index of the two is compared with
what chance gives: it is about a multiple of a chi-square (Yurdakul, "Statistical properties of the
population stability index", 2018), whose multiple and degrees are matched to periods drawn anew
from the first, since the power makes its errors larger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

Array = npt.NDArray[np.float64]

ALPHA: Final = 0.01  # chance of a false alarm, all periods of a report together
MATERIAL: Final = 0.1  # an index below it is no drift that matters, however sure
_BINS = 10
_LEAST = 1e-4  # share of a bin, so that an empty one has a logarithm
_DRAWS = 400
_SEED = 3_2011


@dataclass(frozen=True)
class Period:
    """The nearest-impostor scores of some time.

    Args:
        name: of the period.
        histogram: bin to number of probes.
        mean_gallery: people whom a probe was compared with, on average.
    """

    name: str
    histogram: Mapping[int, int]
    mean_gallery: float


@dataclass(frozen=True)
class Drift:
    """How far a period lies from the first one.

    Args:
        period: its name.
        samples: probes in it.
        index: the population stability index.
        limit: what chance exceeds with `alpha`, corrected (Bonferroni) for the periods compared.
        is_alarm: the index exceeds the limit, and 0.1.
    """

    period: str
    samples: int
    index: float
    limit: float
    is_alarm: bool


def drifts(periods: Sequence[Period], alpha: float = ALPHA) -> tuple[Drift, ...]:
    """Compare each later period with the first one.

    Args:
        periods: in their order, each with samples.
        alpha: chance that any alarm is false.
    """
    return tuple(_drift(periods[0], later, alpha / (len(periods) - 1)) for later in periods[1:])


def _drift(base: Period, later: Period, alpha: float) -> Drift:
    bins = sorted({*base.histogram, *later.histogram})
    old = np.array([base.histogram.get(b, 0) for b in bins], np.int64)
    new = np.array([later.histogram.get(b, 0) for b in bins], np.int64)
    growth = later.mean_gallery / base.mean_gallery if base.mean_gallery > 0 else 1.0
    expected = _grown(old, growth)
    starts = _starts(expected)
    index = float(_index(expected, new / new.sum(), starts))
    random = np.random.default_rng(_SEED)
    by_chance = _index(
        _grown(random.multinomial(old.sum(), old / old.sum(), _DRAWS), growth),
        random.multinomial(new.sum(), expected, _DRAWS) / new.sum(),
        starts,
    )
    scale = by_chance.var() / (2 * by_chance.mean())
    limit = float(scale * chdtri(by_chance.mean() / scale, alpha))
    return Drift(later.name, int(new.sum()), index, limit, index > max(limit, MATERIAL))


def _grown(counts: npt.NDArray[np.int64], growth: float) -> Array:
    """(..., b) shares of the bins in a gallery so many times as large."""
    below = np.cumsum(counts, axis=-1) / counts.sum(axis=-1, keepdims=True)
    return np.diff(below**growth, prepend=0.0, axis=-1)


def _index(expected: Array, found: Array, starts: npt.NDArray[np.intp]) -> Array:
    """(...,) population stability index over groups of bins."""
    p, q = (np.maximum(np.add.reduceat(x, starts, axis=-1), _LEAST) for x in (expected, found))
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def _starts(shares: Array) -> npt.NDArray[np.intp]:
    """Where groups of bins begin: at most ten, each of about a tenth of what is expected."""
    middle = np.cumsum(shares) - shares / 2
    group = np.floor(middle * _BINS).clip(0, _BINS - 1)
    return np.unique(group, return_index=True)[1]
