"""The tail of strangers' scores, from nearest scores of populations whose tail is known."""

import numpy as np
import pytest

from tests.unit.uniqueness.metrics.populations import binned, false_match_rate, nearest_scores
from uniqueness.metrics.nearest import NearestImpostors, nearest_impostors

END, BEYOND = 0.42, 0.46


def fitted(seed: int, probes: int, first: float, last: float) -> NearestImpostors:
    random = np.random.default_rng(seed)
    scores = nearest_scores(random, np.linspace(max(first, 1.0), last, probes))
    found = nearest_impostors(
        binned(scores[scores < END]), width=0.01, end=END, galleries=(first, last)
    )
    assert found is not None
    return found


@pytest.mark.parametrize(("first", "last"), [(3000.0, 3000.0), (0.0, 4000.0), (2000.0, 4000.0)])
def test_the_interval_holds_the_true_rate_beyond_what_was_counted(
    first: float, last: float
) -> None:
    runs, held = 40, 0
    for seed in range(runs):
        found = fitted(seed, 3000, first, last).reaching(BEYOND, 5000)
        held += (
            found.false_match_rate_low <= false_match_rate(BEYOND) <= found.false_match_rate_high
        )
        truth = 1 - np.exp(-5000 * false_match_rate(BEYOND))
        assert (found.fpir_low <= truth <= found.fpir_high) == (
            found.false_match_rate_low <= false_match_rate(BEYOND) <= found.false_match_rate_high
        )
    assert held >= 35  # fewer come of a true 95 % in 1 of 70 such tests


def test_the_estimate_is_near_the_truth() -> None:
    rates = [fitted(seed, 20_000, 3000, 3000).reaching(0.43, 1) for seed in range(5)]
    truth = false_match_rate(0.43)
    assert np.median([r.false_match_rate for r in rates]) == pytest.approx(truth, rel=0.2)


def test_more_probes_narrow_the_interval() -> None:
    def width(probes: int) -> float:
        found = fitted(1, probes, 3000, 3000).reaching(BEYOND, 1)
        return found.false_match_rate_high - found.false_match_rate_low

    assert width(20_000) < width(2000)


def test_the_same_counts_give_the_same_figures() -> None:
    assert fitted(3, 2000, 0, 3000).reaching(0.5, 9) == fitted(3, 2000, 0, 3000).reaching(0.5, 9)


def test_too_little_is_not_fitted() -> None:
    scores = nearest_scores(np.random.default_rng(1), np.full(150, 3000.0))
    galleries = (3000.0, 3000.0)
    few = nearest_impostors(binned(scores), width=0.01, end=END, galleries=galleries)
    assert few is None
    assert nearest_impostors({}, width=0.01, end=END, galleries=galleries) is None
    for alone in (20, 41):
        one_bin = nearest_impostors({alone: 5000}, width=0.01, end=END, galleries=galleries)
        assert one_bin is None
