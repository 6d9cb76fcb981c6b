"""The generalised Pareto distribution, the limit law of excesses over a high threshold.

Pickands (1975); Balkema and de Haan (1974). Fitted by probability-weighted moments (Hosking and
Wallis, 1987), which at the shapes of score tails (-0.5 < shape < 0.5) are close to maximum
likelihood, always exist, and take weights: a bootstrap over identities is a change of weights.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
FloatArray = npt.NDArray[np.float64]

_EXPONENTIAL = 1e-9  # a shape closer to 0 is the exponential distribution, its limit
_LOWEST_PROBABILITY = 1e-300


@dataclass(frozen=True)
class GeneralizedPareto:
    """Of an excess y >= 0: P(Y > y) = (1 + shape y / scale) ^ (-1 / shape)."""

    shape: float
    scale: float

    @classmethod
    def fit(cls, excesses: Array, weights: Array | None = None) -> Self:
        """Fit by probability-weighted moments.

        Args:
            excesses: (n,) at least 0, not all 0.
            weights: (n,) at least 0; all 1 when left out.
        """
        order = np.argsort(excesses)
        values = np.asarray(excesses, np.float64)[order]
        weights = np.ones_like(values) if weights is None else np.asarray(weights)[order]
        total = weights.sum()
        exceeding = 1.0 - (np.cumsum(weights) - 0.5 * weights) / total
        mean = float(weights @ values / total)
        first = float((weights * exceeding) @ values / total)
        difference = mean - 2.0 * first
        return cls(shape=2.0 - mean / difference, scale=2.0 * mean * first / difference)

    def survival(self, excess: Array | float) -> FloatArray:
        """P(Y > excess); 1 below 0, 0 beyond the end point of a negative shape."""
        return survival(np.asarray(excess, np.float64) / self.scale, self.shape)

    def excess(self, probability: Array | float) -> FloatArray:
        """The excess that is exceeded with a probability in (0, 1]: `survival`'s inverse."""
        logs = -np.log(np.maximum(np.asarray(probability, np.float64), _LOWEST_PROBABILITY))
        if abs(self.shape) < _EXPONENTIAL:
            return np.asarray(self.scale * logs)
        return np.asarray(self.scale * np.expm1(self.shape * logs) / self.shape)


def survival(ratio: Array, shape: float) -> FloatArray:
    """P(Y > ratio * scale), for many scales at once."""
    ratio = np.maximum(ratio, 0.0)
    if abs(shape) < _EXPONENTIAL:
        return np.asarray(np.exp(-ratio))
    inside = np.maximum(1.0 + shape * ratio, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(-np.log(inside) / shape))


def anderson_darling(fitted: GeneralizedPareto, excesses: Array) -> float:
    """A^2, the weighted distance of excesses to a fit; it stresses both tails.

    For independent excesses and a fitted shape near 0 it exceeds about 1.1 in one of twenty
    samples (Choulakian and Stephens, 2001). Scores of pairs are not independent: compare the
    values of several thresholds, do not read one as a test.
    """
    values = np.sort(excesses)
    n = values.size
    beyond = np.clip(fitted.survival(values), 1e-12, 1 - 1e-12)
    ranks = 2 * np.arange(1, n + 1) - 1
    return float(-n - np.mean(ranks * (np.log1p(-beyond) + np.log(beyond[::-1]))))


def mean_excess(values: Array, thresholds: Array) -> FloatArray:
    """Mean of value - threshold over the values above each threshold; linear for this law."""
    descending = np.sort(values)[::-1].astype(np.float64)
    above = np.searchsorted(-descending, -np.asarray(thresholds), side="left")
    sums = np.concatenate([[0.0], np.cumsum(descending)])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[above] / above - thresholds)
