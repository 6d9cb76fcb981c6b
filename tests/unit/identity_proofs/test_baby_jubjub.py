"""Scalar products against sums of the points themselves."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_proofs.baby_jubjub import BASE, IDENTITY, add, is_on_curve, multiply, multiply_base
from identity_proofs.identity import SUBGROUP_ORDER

SMALL_ORDER = (0, 21888242871839275222246405745257275088548364400416034343698204186575808495616)
LARGEST = 2**256 - 1


def summed(point: tuple[int, int], scalar: int) -> tuple[int, int]:
    """Double and add, by the addition of two points alone."""
    total = IDENTITY
    for bit in f"{scalar:b}":
        total = add(total, total)
        total = add(total, point) if bit == "1" else total
    return total


@given(st.integers(0, LARGEST))
def test_a_product_is_a_sum(scalar: int) -> None:
    assert multiply_base(scalar) == multiply(BASE, scalar) == summed(BASE, scalar)


@pytest.mark.parametrize("scalar", [0, 1, 15, 16, SUBGROUP_ORDER - 1, SUBGROUP_ORDER, LARGEST])
def test_products_at_the_edges(scalar: int) -> None:
    assert multiply_base(scalar) == multiply(BASE, scalar) == summed(BASE, scalar)


def test_small_multiples_of_any_point_are_sums_of_it() -> None:
    point = reduce(add, [BASE] * 7)
    for count in range(40):
        assert multiply(point, count) == reduce(add, [point] * count, IDENTITY)
        assert is_on_curve(multiply(point, count))


def test_a_point_of_order_two_comes_back() -> None:
    assert multiply(SMALL_ORDER, 2) == multiply(IDENTITY, LARGEST) == IDENTITY
    assert multiply(SMALL_ORDER, 3) == SMALL_ORDER
