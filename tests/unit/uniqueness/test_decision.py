import numpy as np
import pytest

from uniqueness.decision import Decision, ThresholdPolicy, Thresholds
from uniqueness.errors import InvalidThresholds


@pytest.mark.parametrize(
    ("score", "decision"),
    [
        (-np.inf, Decision.UNIQUE),
        (0.3999, Decision.UNIQUE),
        (0.4, Decision.REVIEW),
        (0.4999, Decision.REVIEW),
        (0.5, Decision.DUPLICATE),
        (1.0, Decision.DUPLICATE),
    ],
)
def test_thresholds_belong_to_the_stricter_band(score, decision):
    assert Thresholds(0.4, 0.5).decide(score) is decision


@pytest.mark.parametrize(
    "pair", [(0.5, 0.4), (float("nan"), 0.5), (0.5, float("nan")), (-np.inf, 0.5), (0.5, np.inf)]
)
def test_thresholds_out_of_order_or_not_finite_are_refused(pair):
    with pytest.raises(InvalidThresholds):
        Thresholds(*pair)


def test_log_likelihood_ratios_are_thresholds_too():
    assert Thresholds(9.5, 12.0).decide(11.0) is Decision.REVIEW


def test_fixed_thresholds_are_a_policy_that_knows_no_safe_population():
    policy: ThresholdPolicy = Thresholds(0.4, 0.5)
    assert policy.at(0) == policy.at(10**9) == Thresholds(0.4, 0.5)
    assert policy.safe_population is None
