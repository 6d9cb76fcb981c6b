"""Templates as whole numbers: one norm for all, so that a dot product is the cosine."""

import numpy as np
import pytest

from uniqueness.errors import InvalidTemplate
from uniqueness.private.quantised import SQUARED_NORM, least_product, quantise, unit
from uniqueness.template import FloatArray


def vectors(count: int, dimension: int, seed: int) -> FloatArray:
    drawn = np.random.default_rng(seed).normal(size=(count, dimension))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("dimension", [64, 128, 512])
def test_the_norm_is_exact_and_the_cosine_nearly(dimension: int) -> None:
    drawn = vectors(300, dimension, seed=dimension)
    whole = np.stack([quantise(vector) for vector in drawn]).astype(np.int64)
    assert set((whole**2).sum(axis=1).tolist()) == {SQUARED_NORM}
    moved = whole @ whole.T / SQUARED_NORM - drawn @ drawn.T
    assert moved.std() < 2.5e-4  # of rounding two templates: sqrt(2 / 12) / 2048
    assert np.abs(moved).max() < 2e-3
    np.testing.assert_allclose(np.linalg.norm(unit(quantise(drawn[0]))), 1, atol=1e-6)


def test_lopsided_templates_too() -> None:
    for largest in (0.5, 0.9, 0.99):
        vector = vectors(1, 128, seed=1)[0] * np.float32(np.sqrt(1 - largest**2))
        vector[0] = 0
        vector *= np.float32(np.sqrt(1 - largest**2) / np.linalg.norm(vector))
        vector[0] = largest
        whole = quantise(vector).astype(np.int64)
        assert whole @ whole == SQUARED_NORM
        assert whole @ vector / np.linalg.norm(whole) > 0.9999


def test_what_has_no_such_norm_nearby() -> None:
    with pytest.raises(InvalidTemplate):
        quantise(np.zeros(128, np.float32))


@pytest.mark.parametrize("score", [1e-9, 0.25, 0.363, 0.5, 1.0])
def test_the_least_product_is_the_first_that_reaches_the_score(score: float) -> None:
    least = least_product(score)
    assert least / SQUARED_NORM >= score
    assert (least - 1) / SQUARED_NORM < score
