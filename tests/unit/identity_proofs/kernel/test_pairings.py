"""The kernel's pairings: its target field against plain integers, and what pairings must do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as bn128

from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import Kernel, Product, Term
from tests.unit.identity_proofs.kernel.test_points import packed, packed_point

KERNEL = Kernel.load()
G1, G2 = packed_point(bn128.G1), packed_point(bn128.G2)
TWIST_ORDER = R * (2 * Q - R)
LEAST_COFACTOR = 10_069

Pair = tuple[int, int]
Element = tuple[Pair, ...]
"""Of Fp12 = Fp2[w] / (w^6 - (9 + i)), the coefficients of w^0 to w^5."""

ONE: Element = ((1, 0), *[(0, 0)] * 5)
COEFFICIENTS = st.tuples(*[st.integers(0, Q - 1) | st.sampled_from([0, 1, Q - 1])] * 2)
ELEMENTS = st.tuples(*[COEFFICIENTS] * 6)
SCALARS = st.integers(1, R - 1)


def times(a: Element, b: Element) -> Element:
    sums = [[0, 0] for _ in range(6)]
    for i, (a0, a1) in enumerate(a):
        for j, (b0, b1) in enumerate(b):
            real, other = a0 * b0 - a1 * b1, a0 * b1 + a1 * b0
            if i + j >= 6:
                real, other = 9 * real - other, real + 9 * other
            sums[(i + j) % 6][0] += real
            sums[(i + j) % 6][1] += other
    return tuple((real % Q, other % Q) for real, other in sums)


def to_the(a: Element, exponent: int) -> Element:
    power = ONE
    for bit in f"{exponent:b}":
        power = times(power, power)
        if bit == "1":
            power = times(power, a)
    return power


@settings(max_examples=20, deadline=None)
@given(ELEMENTS, ELEMENTS)
def test_target_field(a: Element, b: Element) -> None:
    line = (ONE[0], b[1], (0, 0), b[3], (0, 0), (0, 0))
    with KERNEL.scratch() as scratch:
        out = scratch.reserve(5 * 384)
        x, y = (scratch.hold(packed([n for pair in element for n in pair])) for element in (a, b))
        scratch.call("fp12_arithmetic", x, y, out)
        data = scratch.read(out, 5 * 384)
    words = [int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]
    pairs = list(zip(words[::2], words[1::2], strict=True))
    product, inverse, power, square, by_line = (tuple(pairs[i : i + 6]) for i in range(0, 30, 6))
    assert product == times(a, b)
    assert times(a, inverse) == (ONE if any(map(any, a)) else times(a, a))
    assert power == to_the(a, Q)
    assert square == times(a, a)
    assert by_line == times(a, line)


def multiplied(*pairs: tuple[list[Term], bytes]) -> Product:
    return KERNEL.multiply_pairings(pairs)


@settings(max_examples=10, deadline=None)
@given(SCALARS, SCALARS, SCALARS)
def test_pairings_are_bilinear(a: int, b: int, c: int) -> None:
    """e(aG, bH) e(cG, H) = e((ab + c)G, H)"""
    b_h = KERNEL.msm_g2(G2, packed([b]))
    a_g = KERNEL.msm_g1(G1, packed([a]))
    right = [(G1, -(a * b + c) % R)]
    assert multiplied(([(a_g, 1)], b_h), ([(G1, c)], G2), (right, G2)) is Product.ONE
    assert multiplied(([(a_g, b), (G1, c)], G2), (right, G2)) is Product.ONE
    assert multiplied(([(a_g, 1)], b_h), ([(G1, c + 1)], G2), (right, G2)) is Product.OTHER


def test_pairings_are_not_degenerate() -> None:
    assert multiplied(([(G1, 1)], G2)) is Product.OTHER
    assert multiplied(([(G1, R)], G2)) is Product.ONE
    assert multiplied(([(bytes(64), 1)], G2)) is Product.ONE
    assert multiplied(([], G2)) is Product.ONE
    assert multiplied() is Product.ONE


@pytest.mark.parametrize("count", [1, 5, 70])
def test_one_that_is_wrong_among_many(count: int) -> None:
    pairs: list[tuple[list[Term], bytes]] = [([(G1, 3), (G1, R - 3)], G2)] * count
    assert multiplied(*pairs) is Product.ONE
    for at in {0, count // 2, count - 1}:
        wrong = [*pairs[:at], ([(G1, 3), (G1, R - 2)], G2), *pairs[at + 1 :]]
        assert multiplied(*wrong) is Product.OTHER


def test_points_that_are_none() -> None:
    """Also where the other point is infinity, and where another pair is sound."""
    sound: tuple[list[Term], bytes] = ([(G1, 1)], G2)
    for g1 in (packed([1, 3]), packed([1 + Q, 2]), packed([0, 1]), b"\xff" * 64):
        assert multiplied(sound, ([(G1, 1), (g1, 0)], G2)) is Product.P_OFF_CURVE
    for g2 in (bytes(128), b"\xff" * 128, G2[:-1] + b"\0", G2[64:] + G2[:64]):
        assert multiplied(sound, ([(bytes(64), 1)], g2)) is Product.Q_OFF_CURVE


def on_twist(order: int) -> bytes:
    """A point of this order, or of one that divides it."""
    x = bn128.FQ2([1, 0])
    y = bn128.FQ2(
        [
            18278151005453108793778860132295291098363647455926340152056652516292830556603,
            5912654199736721486680175016176231956195085055698687135131307249486702594212,
        ]
    )
    point = (x, y, bn128.FQ2.one())
    assert bn128.is_on_curve(point, bn128.b2)
    return packed_point(bn128.multiply(point, TWIST_ORDER // order))


@pytest.mark.parametrize(
    "order",
    [LEAST_COFACTOR, 2 * Q - R, R * LEAST_COFACTOR, TWIST_ORDER],
    ids=["least", "cofactor", "r times least", "whole"],
)
def test_points_outside_the_subgroup(order: int) -> None:
    """Also those whose multiples come back to them within the loop."""
    outside = on_twist(order)
    for scalar in (0, 1, R):
        assert multiplied(([(G1, scalar)], outside)) is Product.Q_OUTSIDE_SUBGROUP
    assert multiplied(([(G1, 1)], G2), ([(G1, 1)], outside)) is Product.Q_OUTSIDE_SUBGROUP
    assert multiplied(([(G1, R)], on_twist(R))) is Product.ONE
