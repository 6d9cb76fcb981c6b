"""Bursts: whom chance explains is not named, and who stands out is."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from uniqueness.metrics.alarms import ALPHA, bursts


def alike(random: np.random.Generator, share: float) -> dict[str, tuple[int, int]]:
    """Kiosks of one rate, and of very different business."""
    sizes = [20, 50, 100, 200, 400, 400, 800, 800, 1500, 3000]
    return {f"k{place}": (int(random.binomial(n, share)), n) for place, n in enumerate(sizes)}


@pytest.mark.parametrize("share", [0.005, 0.05, 0.3])
def test_false_alarms_are_as_rare_as_promised(share: float) -> None:
    random = np.random.default_rng(1)
    tables = 800
    alarms = sum(bool(bursts(alike(random, share))) for _ in range(tables))
    assert alarms <= tables * ALPHA + 3 * np.sqrt(tables * ALPHA)


def test_a_kiosk_that_stands_out_is_named_with_its_rate_and_the_others() -> None:
    counts = alike(np.random.default_rng(2), 0.02) | {"bad": (40, 400)}
    (alarm,) = bursts(counts)
    assert alarm.group == "bad"
    assert (alarm.rate.hits, alarm.rate.trials) == (40, 400)
    assert alarm.others.trials == sum(n for _, n in counts.values()) - 400
    assert alarm.p_value < ALPHA


def test_half_of_such_kiosks_are_found() -> None:
    random = np.random.default_rng(3)
    found = 0
    for _ in range(100):
        counts = alike(random, 0.02) | {"bad": (int(random.binomial(400, 0.06)), 400)}
        found += any(alarm.group == "bad" for alarm in bursts(counts))
    assert found > 50


def test_the_chance_is_that_of_fishers_test_times_the_groups() -> None:
    (alarm,) = bursts({"a": (30, 100), "b": (5, 100)})
    chance = fisher_exact([[30, 70], [5, 95]], alternative="greater").pvalue
    assert alarm.p_value == pytest.approx(2 * chance)


def test_a_few_hits_are_no_burst() -> None:
    assert bursts({"a": (9, 9), "b": (0, 100_000)}) == ()


def test_nothing_and_nobody_are_quiet() -> None:
    assert bursts({}) == ()
    assert bursts({"a": (0, 0), "b": (0, 10)}) == ()
    assert bursts({"alone": (10, 10)}) == ()
