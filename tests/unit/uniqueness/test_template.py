import numpy as np
import pytest

from tests.unit.uniqueness.synthetic import people, template
from uniqueness.errors import InvalidTemplate


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
