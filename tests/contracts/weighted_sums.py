"""A weighted sum of points in plain integers, which takes points off the curve too."""

from collections.abc import Sequence
from typing import TypeAlias

from identity_proofs.field import BASE_FIELD as Q

Point: TypeAlias = tuple[int, int]
"""Affine coordinates; (0, 0) is the point at infinity, as the precompiles have it."""

_Jacobian: TypeAlias = tuple[int, int, int]
_INFINITY: _Jacobian = (1, 1, 0)


def weighted_sum(points: Sequence[Point], weights: Sequence[int]) -> Point:
    """The sum of weights times points.

    All points go through one ladder, so that doublings are shared (Straus 1964).

    Args:
        points: on the curve, or the sum is only what these formulas make of it.
        weights: as many, none negative.
    """
    total = _INFINITY
    for bit in reversed(range(max((w.bit_length() for w in weights), default=0))):
        total = _double(total)
        for point, weight in zip(points, weights, strict=True):
            if weight >> bit & 1:
                total = _add(total, point)
    return _affine(total)


def _double(p: _Jacobian) -> _Jacobian:
    # dbl-2009-l, for curves with a = 0; infinity stays infinity, as z stays 0.
    x, y, z = p
    a, b = x * x % Q, y * y % Q
    c = b * b % Q
    d = 2 * ((x + b) ** 2 - a - c) % Q
    e = 3 * a
    x3 = (e * e - 2 * d) % Q
    return x3, (e * (d - x3) - 8 * c) % Q, 2 * y * z % Q


def _add(p: _Jacobian, q: Point) -> _Jacobian:
    # madd-2007-bl, with the cases that it leaves out.
    x1, y1, z1 = p
    if q == (0, 0):
        return p
    if z1 == 0:
        return *q, 1
    zz = z1 * z1 % Q
    h = (q[0] * zz - x1) % Q
    r = (q[1] * z1 * zz - y1) % Q
    if h == 0:
        return _double(p) if r == 0 else _INFINITY
    hh = h * h % Q
    hhh = h * hh % Q
    v = x1 * hh % Q
    x3 = (r * r - hhh - 2 * v) % Q
    return x3, (r * (v - x3) - y1 * hhh) % Q, z1 * h % Q


def _affine(p: _Jacobian) -> Point:
    x, y, z = p
    if z == 0:
        return 0, 0
    inverse = pow(z, -1, Q)
    return x * inverse**2 % Q, y * inverse**3 % Q
