"""The exact interval, against the binomial law itself and values from the literature."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from uniqueness.metrics.rates import counted_rate


def coverage(share: float, trials: int, confidence: float = 0.95) -> float:
    """How often the interval holds the truth: summed over all counts, not simulated."""
    counts = np.arange(trials + 1)
    intervals = [counted_rate(int(count), trials, confidence) for count in counts]
    holds = [rate.low <= share <= rate.high for rate in intervals]
    return float(binom.pmf(counts, trials, share)[holds].sum())


@pytest.mark.parametrize("trials", [10, 100, 500])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.5, 0.9])
def test_the_interval_holds_the_truth_at_least_as_often_as_it_says(
    share: float, trials: int
) -> None:
    assert coverage(share, trials) >= 0.95


def test_another_confidence_is_kept_too() -> None:
    assert 0.99 <= coverage(0.02, 300, 0.99) < 1.0
    assert 0.80 <= coverage(0.02, 300, 0.80) < 0.95


def test_the_rule_of_three_and_its_mirror() -> None:
    none = counted_rate(0, 300)
    assert none.low == 0.0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 300))
    assert counted_rate(300, 300).low == pytest.approx(0.025 ** (1 / 300))


def test_a_textbook_interval() -> None:
    rate = counted_rate(4, 20)  # 5.73 to 43.66 %, as R's binom.test(4, 20) says
    assert (rate.low, rate.high) == pytest.approx((0.05733, 0.43661), abs=1e-5)


def test_nothing_counted_says_nothing() -> None:
    rate = counted_rate(0, 0)
    assert math.isnan(rate.estimate)
    assert (rate.low, rate.high) == (0.0, 1.0)
    assert str(rate) == "nothing counted"


@pytest.mark.parametrize(("hits", "trials"), [(-1, 5), (6, 5)])
def test_no_count_is_refused(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="is no count"):
        counted_rate(hits, trials)
