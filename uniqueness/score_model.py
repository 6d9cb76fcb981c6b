"""The impostor scores of a population.

Which share of strangers scores above a threshold, and how likely is a new person to meet such a
stranger among N? Peaks over threshold (Coles, "An Introduction to Statistical Modeling of
Extreme Values", 2001, chapter 4), with a place and a scale for every probe: some people are near
many (Doddington et al., "Sheep, goats, lambs and wolves", 1998). On the common scale
(score - place) / scale all probes share one tail, since nobody has scores enough for a tail of
their own.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from uniqueness.generalized_pareto import GeneralizedPareto

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
_BISECTIONS = 32  # to a billionth of a probe's scale


@dataclass(frozen=True)
class TailParameters:
    """One fit of the common tail and of how probes lie about it.

    Args:
        level: of all impostor scores, the share in the tail.
        start: where the tail begins, on the common scale.
        shape: of the generalised Pareto distribution above it.
        scale: likewise.
        place: mean over probes of the score that a fixed share of a probe's strangers exceeds.
        log_scale: mean over probes of the logarithm of their mean excess over that score.
        spread: (a, b, c), the symmetric root ((a, b), (b, c)) of the two's covariance.
    """

    level: float
    start: float
    shape: float
    scale: float
    place: float
    log_scale: float
    spread: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class ImpostorModel:
    """The tail of impostor scores, for every probe.

    Args:
        estimate: fitted to all people.
        replicates: fitted to people drawn again with replacement (a bootstrap over identities).
        crowd: (q, 2) how probes lie about the mean place and scale, of mean 0 and unit covariance.
    """

    estimate: TailParameters
    replicates: tuple[TailParameters, ...] = field(repr=False)
    crowd: Array = field(repr=False)

    def false_match_rates(self, threshold: float, fit: TailParameters | None = None) -> Array:
        """(q,) each probe's share of strangers at or above a threshold; at most `level`."""
        fit = fit or self.estimate
        place, scale = self._probes if fit is self.estimate else self._probes_of(fit)
        tail = GeneralizedPareto(fit.shape, fit.scale)
        return fit.level * tail.survival((threshold - place) / scale - fit.start)

    def false_match_rate(self, threshold: float) -> float:
        """The share of all pairs of strangers at or above a threshold."""
        return float(self.false_match_rates(threshold).mean())

    def fpir(self, threshold: float, gallery_size: int, fit: TailParameters | None = None) -> float:
        """False positive identification rate: the mean over probes of 1 - (1 - FMR_q)^N."""
        rates = self.false_match_rates(threshold, fit)
        return abs(float(np.expm1(gallery_size * np.log1p(-rates)).mean()))

    def fpir_interval(self, threshold: float, gallery_size: int) -> tuple[float, float]:
        """The 95 % interval of `fpir`, from the replicates."""
        rates = [self.fpir(threshold, gallery_size, fit) for fit in self.replicates]
        tail = 50 * (1 - CONFIDENCE)
        low, high = np.percentile(rates, [tail, 100 - tail])
        return float(low), float(high)

    @cached_property
    def _probes(self) -> tuple[Array, Array]:
        return self._probes_of(self.estimate)

    def _probes_of(self, fit: TailParameters) -> tuple[Array, Array]:
        """Place and scale of every probe of the crowd."""
        a, b, c = fit.spread
        place = fit.place + self.crowd @ np.array([a, b])
        return place, np.exp(fit.log_scale + self.crowd @ np.array([b, c]))

    def smallest_gallery(self, target: float) -> int:
        """From which size a target can be set: below it, not even the tail's start is needed."""
        return max(1, int(np.ceil(2 * target / self.estimate.level)))

    def threshold(self, target: float, gallery_size: int) -> float:
        """The lowest score at which `fpir` is at most the target.

        Args:
            target: false positive identification rate, in (0, 1).
            gallery_size: N; a smaller one than `smallest_gallery` counts as that.
        """
        size = max(gallery_size, self.smallest_gallery(target))
        place, scale = self.estimate.place, np.exp(self.estimate.log_scale)
        low, step = place + scale * self.estimate.start, scale
        while self.fpir(low, size) <= target:
            low -= step
        high = low + step
        while self.fpir(high, size) > target:
            low, high, step = high, high + 2 * step, 2 * step
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.fpir(middle, size) <= target else (middle, high)
        return float(high)

    def largest_gallery(
        self, target: float, threshold: float, fit: TailParameters | None = None
    ) -> int:
        """The largest N at which a threshold holds a target; 0 if it lies below the tail."""
        low = self.smallest_gallery(target)
        if self.fpir(threshold, low, fit) > target:
            return 0
        high = 2 * low
        while high < 2**62 and self.fpir(threshold, high, fit) <= target:
            low, high = high, 2 * high
        while high - low > max(1, low // 1000):
            middle = (low + high) // 2
            holds = self.fpir(threshold, middle, fit) <= target
            low, high = (middle, high) if holds else (low, middle)
        return low

    def largest_gallery_interval(self, target: float, threshold: float) -> tuple[int, int]:
        """The 95 % interval of `largest_gallery`, from the replicates."""
        sizes = [self.largest_gallery(target, threshold, fit) for fit in self.replicates]
        tail = 50 * (1 - CONFIDENCE)
        low, high = np.percentile(np.array(sizes, np.float64), [tail, 100 - tail])
        return int(low), int(high)


def fpir_of_one_rate(false_match_rate: float, gallery_size: int) -> float:
    """1 - (1 - FMR)^N, as if everyone were like everyone: too high where people differ."""
    return float(-np.expm1(gallery_size * np.log1p(-false_match_rate)))
