"""Drift: silent while only the gallery grows, heard when the scores move."""

import numpy as np
import pytest

from tests.unit.uniqueness.metrics.populations import binned, nearest_scores
from uniqueness.metrics.drift import Period, drifts

BLOCK = 1024


def period(random: np.random.Generator, place: int, moved: float = 0.0) -> Period:
    """The probes that make a gallery grow from `place` blocks by one more."""
    sizes = np.arange(place * BLOCK, (place + 1) * BLOCK) + 1.0
    scores = nearest_scores(random, sizes) + moved
    return Period(str(place), binned(scores), float(sizes.mean()))


def test_false_alarms_are_as_rare_as_promised() -> None:
    beyond = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        found = drifts([period(random, place) for place in range(1, 6)], alpha=0.1)
        beyond += any(drift.index > drift.limit for drift in found)
        assert not any(drift.is_alarm for drift in found)
    assert beyond <= 11  # of 60 at one in ten: more come in 1 of 50 such tests


def test_scores_that_moved_are_noticed() -> None:
    random = np.random.default_rng(1)
    found = drifts([period(random, 2), period(random, 3), period(random, 4, moved=0.015)])
    assert [drift.is_alarm for drift in found] == [False, True]
    assert found[1].index > 0.25
    assert found[1].samples == BLOCK


def test_a_first_period_of_another_size_of_gallery_is_taken_into_account() -> None:
    random = np.random.default_rng(2)
    first, later = period(random, 2), period(random, 12)
    assert not drifts([first, later])[0].is_alarm
    ignoring_growth = Period("0", first.histogram, later.mean_gallery)
    assert drifts([ignoring_growth, later])[0].is_alarm


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare(count: int) -> None:
    assert drifts([period(np.random.default_rng(1), 1)][:count]) == ()
