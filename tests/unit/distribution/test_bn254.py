"""The weighted sum, against py_ecc."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ecc.bn128.bn128_curve import G1, add, multiply, neg

from distribution.bn254 import Point, weighted_sum


def affine(point: object) -> Point:
    return (0, 0) if point is None else (int(point[0]), int(point[1]))  # type: ignore[index]


POINTS = [multiply(G1, i) for i in (1, 2, 3, 12345)] + [neg(G1), None]


@given(st.lists(st.tuples(st.sampled_from(range(len(POINTS))), st.integers(0, 2**128)), max_size=6))
def test_it_is_the_sum_of_weights_times_points(terms: list[tuple[int, int]]) -> None:
    expected = None
    for index, weight in terms:
        expected = add(expected, multiply(POINTS[index], weight) if POINTS[index] else None)
    points = [affine(POINTS[index]) for index, _ in terms]
    assert weighted_sum(points, [weight for _, weight in terms]) == affine(expected)


def test_opposites_and_doubles() -> None:
    g, minus_g = affine(G1), affine(neg(G1))
    assert weighted_sum([g, minus_g], [5, 5]) == (0, 0)
    assert weighted_sum([g, g], [1, 1]) == affine(multiply(G1, 2))
    assert weighted_sum([], []) == (0, 0)


def test_a_point_off_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="not on the curve"):
        weighted_sum([(1, 2), (1, 3)], [1, 1])
