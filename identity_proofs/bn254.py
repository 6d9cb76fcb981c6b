"""BN254 arithmetic for the prover: points, multi-scalar products, transforms.

The only file that knows `zksnake`. Its constructors check that a point is on the curve and in the
subgroup, and abort on one that is not: feed them the digest-checked proving key only.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from zksnake.ecc import EllipticCurve
from zksnake.polynomial import fft, ifft

from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.verification_key import G1Point, G2Point

Element: TypeAlias = Any
"""An element of G1 or G2, with `+`, unary `-` and `* int`."""

_CURVE = EllipticCurve("BN254")
_G1_ZERO: Element = _CURVE.G1() * 0
_G2_ZERO: Element = _CURVE.G2() * 0
_GENERATOR = 5  # of the scalar field's multiplicative group


def g1_element(point: G1Point | None) -> Element:
    """Make an element of G1 from affine coordinates (None: infinity)."""
    return _G1_ZERO if point is None else _CURVE(*point)


def g2_element(point: G2Point | None) -> Element:
    """Make an element of G2 from affine coordinates (None: infinity)."""
    return _G2_ZERO if point is None else _CURVE(*point)


def g1_point(element: Element) -> G1Point:
    """Return the affine coordinates of a finite element of G1."""
    return int(element.x), int(element.y)


def g2_point(element: Element) -> G2Point:
    """Return the affine coordinates of a finite element of G2."""
    (x0, x1), (y0, y1) = element.x, element.y
    return (int(x0), int(x1)), (int(y0), int(y1))


def multi_scalar_product(elements: list[Element], scalars: list[int]) -> Element:
    """Sum scalar times element; as many scalars in [0, r) as elements of one group."""
    if len(elements) != len(scalars):
        raise ValueError("as many scalars as elements are needed")
    return _CURVE.multiexp(elements, scalars)


def odd_coset_shifts(size: int) -> list[int]:
    """Powers 0..size-1 of a primitive (2 size)-th root of unity; `size` is a power of two."""
    root = pow(_GENERATOR, (R - 1) // (2 * size), R)
    shifts = [1]
    for _ in range(size - 1):
        shifts.append(shifts[-1] * root % R)
    return shifts


def to_odd_coset(values: list[int], shifts: Sequence[int]) -> list[int]:
    """Take a polynomial's values on the roots of unity to its values on their odd coset."""
    coefficients = ifft(values, R)
    shifted = [c * s % R for c, s in zip(coefficients, shifts, strict=True)]
    return list(fft(shifted, R))
