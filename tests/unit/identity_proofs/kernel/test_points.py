"""Multiples of points in the kernel against py_ecc, and against sums taken one by one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as bn128

from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import Kernel

KERNEL = Kernel.load()
INTERESTING = st.sampled_from([0, 1, 2, 3, 255, 2**64, R // 2, R - 1, R, 2**254 - 1])
SCALARS = st.lists(st.integers(0, R - 1) | INTERESTING, max_size=4)
Point = Any
Group = tuple[Point, Callable[[bytes, bytes], bytes], int]
G1: Group = (bn128.G1, KERNEL.msm_g1, 64)
G2: Group = (bn128.G2, KERNEL.msm_g2, 128)


def packed(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(32, "little") for value in values)


def packed_point(point: Point) -> bytes:
    """32 bytes a coordinate (two for G2); zeros for infinity."""
    size = 64 if isinstance(point[0], bn128.FQ) else 128
    if bn128.is_inf(point):
        return bytes(size)
    coordinates = bn128.normalize(point)
    return packed([int(n) for c in coordinates for n in getattr(c, "coeffs", None) or [c.n]])


def multiples(generator: Point, count: int) -> list[Point]:
    return [bn128.multiply(generator, 3**i) for i in range(count)]


@pytest.mark.parametrize("group", [G1, G2], ids=["g1", "g2"])
@settings(max_examples=8, deadline=None)
@given(scalars=SCALARS)
def test_sums_are_py_eccs(group: Group, scalars: list[int]) -> None:
    generator, msm, _ = group
    points = multiples(generator, len(scalars))
    total = bn128.multiply(generator, 0)
    for point, scalar in zip(points, scalars, strict=True):
        total = bn128.add(total, bn128.multiply(point, scalar % R))
    assert msm(b"".join(map(packed_point, points)), packed(scalars)) == packed_point(total)


@pytest.mark.parametrize("group", [G1, G2], ids=["g1", "g2"])
def test_many_points_that_meet_in_buckets(group: Group) -> None:
    """Equal, opposite and infinite points, which all need another addition."""
    generator, msm, size = group
    plus, minus = packed_point(generator), packed_point(bn128.neg(generator))
    points = (plus + plus + minus + bytes(size)) * 75
    scalars = [7, 7, 7, 7, R - 5, 2**200, 2**200, 1, 0, 3, 5, 9] * 25
    signs = [1, 1, -1, 0] * 75
    total = sum(s * k for s, k in zip(signs, scalars, strict=True)) % R
    assert msm(points, packed(scalars)) == packed_point(bn128.multiply(generator, total))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, R - 1), st.integers(0, R - 1)), min_size=1, max_size=40))
def test_a_sum_of_multiples_of_the_generator(terms: list[tuple[int, int]]) -> None:
    """With points k G made by the kernel itself, so that there can be more of them."""
    points = [KERNEL.msm_g1(packed_point(bn128.G1), packed([k])) for k, _ in terms]
    total = KERNEL.msm_g1(b"".join(points), packed([s for _, s in terms]))
    product = sum(k * s for k, s in terms) % R
    assert total == KERNEL.msm_g1(packed_point(bn128.G1), packed([product]))


@pytest.mark.parametrize("group", [G1, G2], ids=["g1", "g2"])
def test_the_order_takes_the_generator_to_infinity(group: Group) -> None:
    generator, msm, size = group
    assert msm(packed_point(generator), packed([R])) == bytes(size)
    assert msm(b"", b"") == bytes(size)


@pytest.mark.parametrize(
    "point", [packed([1, 3]), packed([0, 1]), packed([1 + Q, 2]), packed([1, 2**256 - 1])]
)
def test_a_point_off_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(ValueError, match="not on the curve"):
        KERNEL.msm_g1(packed_point(bn128.G1) + point, packed([1, 1]))


def test_lengths_and_scalars_out_of_range_are_refused() -> None:
    generator = packed_point(bn128.G1)
    for points, scalars in ((generator, b""), (generator, bytes(64)), (generator[1:], bytes(32))):
        with pytest.raises(ValueError, match="as many scalars"):
            KERNEL.msm_g1(points, scalars)
    with pytest.raises(ValueError, match="below 2"):
        KERNEL.msm_g1(generator, packed([2**254]))


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16, 40, 100, 400, 1500])
def test_the_largest_scalar_in_digits_of_every_size(count: int) -> None:
    """The more points, the longer the digits; of some sizes the last one takes in a carry."""
    largest = 2**254 - 1
    sum_in_kernel = KERNEL.msm_g1(packed_point(bn128.G1) * count, packed([largest] * count))
    assert sum_in_kernel == packed_point(bn128.multiply(bn128.G1, count * largest % R))
