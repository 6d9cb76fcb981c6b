"""How often a person who comes again scores below a threshold: the false negative rate."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from uniqueness.comparisons import Comparisons

Array = npt.NDArray[np.float64]

_MOST_POINTS = 4000
_NORMAL_975 = 1.959964  # quantile of the normal distribution, for 95 % on two sides


@dataclass(frozen=True)
class Rate:
    """A rate with its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class MissRates:
    """Genuine scores, every person counting alike.

    Args:
        scores: (k,) ascending.
        shares: (k,) ascending to 1, of the scores up to and with each.
        people: with at least two photographs.
    """

    scores: Array = field(repr=False)
    shares: Array = field(repr=False)
    people: int

    @classmethod
    def count(cls, comparisons: Comparisons) -> Self:
        """Count; above 4,000 scores neighbours are merged into the lowest of them."""
        owners = comparisons.people[comparisons.genuine_pairs[:, 0]]
        pairs = np.bincount(owners, minlength=comparisons.person_count)
        order = np.argsort(comparisons.genuine)
        scores = comparisons.genuine[order].astype(np.float64)
        shares = np.cumsum(1.0 / pairs[owners][order])
        shares /= shares[-1]
        step = -(-scores.size // _MOST_POINTS)
        ends = np.append(np.arange(step - 1, scores.size - 1, step), scores.size - 1)
        return cls(scores[::step], shares[ends], int((pairs > 0).sum()))

    def rate(self, threshold: float) -> Rate:
        """The share of genuine scores below a threshold.

        The interval is Wilson's (1927) with people as trials: all pairs of a person together
        vary at most as one trial does. It is not empty where no miss was seen.
        """
        below = int(np.searchsorted(self.scores, threshold, side="left"))
        rate = float(self.shares[below - 1]) if below else 0.0
        n, z = self.people, _NORMAL_975
        center = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
        return Rate(rate, max(0.0, float(center - half)), min(1.0, float(center + half)))

    def threshold(self, largest: float) -> float:
        """The highest score at which at most this share is missed."""
        kept = int(np.searchsorted(self.shares, largest, side="right"))
        return float(self.scores[min(kept, self.scores.size - 1)])
