import numpy as np
import pytest

from tests.unit.uniqueness.synthetic import people, template
from uniqueness.decision import Decision, Thresholds
from uniqueness.errors import InvalidTemplate, InvalidThresholds


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(8, np.float32),
        np.full(8, np.nan, np.float32),
        np.ones(8, np.float32),
        np.ones((1, 1), np.float32),
        np.ones(1, np.float64),
        np.empty(0, np.float32),
    ],
    ids=["zero", "nan", "not unit", "matrix", "float64", "empty"],
)
def test_a_template_is_a_unit_float32_vector(vector):
    with pytest.raises(InvalidTemplate):
        template(vector)


def test_a_template_names_its_model_and_does_not_print_its_vector():
    with pytest.raises(InvalidTemplate):
        template(people(1)[0], model="")
    assert "vector" not in repr(template(people(1)[0]))


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


@pytest.mark.parametrize("pair", [(0.5, 0.4), (0.5, 1.1), (-1.1, 0.5), (float("nan"), 0.5)])
def test_thresholds_out_of_order_are_refused(pair):
    with pytest.raises(InvalidThresholds):
        Thresholds(*pair)
