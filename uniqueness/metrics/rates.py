"""A share that was counted, with its exact interval."""

import math
from dataclasses import dataclass

from scipy.special import betaincinv

CONFIDENCE = 0.95


@dataclass(frozen=True)
class CountedRate:
    """A share of trials, with the exact interval of Clopper and Pearson (1934).

    The interval holds the true share at least as often as it says, whatever the share is; it is
    wider than needed rather than narrower. It takes trials to be independent: count people, or
    one presentation a person, not frames.

    Args:
        hits: trials that came out so, 0 to `trials`.
        trials: all of them, n.
        estimate: hits / trials; NaN without trials.
        low: of the 95 % interval; 0 without trials.
        high: likewise; 1 without trials.
    """

    hits: int
    trials: int
    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        """As people read it: 0.50 % (0.10-1.45 %) of 600."""
        if not self.trials:
            return "nothing counted"
        numbers = f"{100 * self.estimate:.2f} % ({100 * self.low:.2f}-{100 * self.high:.2f} %)"
        return f"{numbers} of {self.trials:,}"


def counted_rate(hits: int, trials: int, confidence: float = CONFIDENCE) -> CountedRate:
    """Estimate a share from a count.

    Args:
        hits: 0 to `trials`.
        trials: at least 0.
        confidence: how often the interval has to hold the true share.

    Raises:
        ValueError: more hits than trials, or fewer than none.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no count")
    if trials == 0:
        return CountedRate(0, 0, math.nan, 0.0, 1.0)
    outside = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, trials - hits + 1, outside))
    high = 1.0 if hits == trials else float(betaincinv(hits + 1, trials - hits, 1 - outside))
    return CountedRate(hits, trials, hits / trials, low, high)
