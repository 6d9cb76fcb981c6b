"""Groth16 by py_ecc: plain Python, slow, the reference for the other two.

The only file that knows `py_ecc`. That library checks that points are on the curve; G2's subgroup
is checked here. Importing it raises Python's recursion limit.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from py_ecc.fields import optimized_bn128_FQ as FQ
from py_ecc.fields import optimized_bn128_FQ2 as FQ2
from py_ecc.fields import optimized_bn128_FQ12 as FQ12
from py_ecc.optimized_bn128 import optimized_curve as curve
from py_ecc.optimized_bn128 import optimized_pairing as pairing

from identity_proofs.errors import (
    ArtifactInvalid,
    PointNotInSubgroup,
    PointNotOnCurve,
    ProofError,
)
from identity_proofs.field import BASE_FIELD, SCALAR_FIELD
from identity_proofs.groth16 import Equation
from identity_proofs.verification_key import G1Point, G2Point, VerificationKey

Element: TypeAlias = Any
"""A projective point of G1 or G2, or a member of the target field, as py_ecc has them."""


def all_hold(equations: Sequence[Equation]) -> bool:
    """See `groth16.Groth16`. One equation after the other, without a random combination."""
    return all(_holds(equation) for equation in equations)


def _holds(equation: Equation) -> bool:
    ax, ay, bx1, bx0, by1, by0, cx, cy = equation.points
    a, b, c = _g1((ax, ay)), _g2(((bx0, bx1), (by0, by1))), _g1((cx, cy))
    gamma, delta, ic, alpha_beta = _read_key(equation.key)
    binding = ic[0]
    for point, signal in zip(ic[1:], equation.signals, strict=True):
        binding = curve.add(binding, curve.multiply(point, signal))
    product = _miller(b, curve.neg(a)) * alpha_beta
    product *= _miller(gamma, binding) * _miller(delta, c)
    return bool(pairing.final_exponentiate(product) == FQ12.one())


@lru_cache(maxsize=32)
def _read_key(key: VerificationKey) -> tuple[Element, Element, list[Element], Element]:
    try:
        alpha_beta = _miller(_g2(key.beta), _g1(key.alpha))
        return _g2(key.gamma), _g2(key.delta), [_g1(point) for point in key.ic], alpha_beta
    except ProofError as error:
        raise ArtifactInvalid("The verification key has a point off its group.") from error


def _miller(g2: Element, g1: Element) -> Element:
    return pairing.pairing(g2, g1, final_exponentiate=False)


def _g1(point: G1Point) -> Element:
    # G1 has no other points than its prime-order ones. (0, 0), infinity elsewhere, is refused.
    if all(0 <= coordinate < BASE_FIELD for coordinate in point):
        x, y = point
        element = FQ(x), FQ(y), FQ(1)
        if curve.is_on_curve(element, curve.b):
            return element
    raise PointNotOnCurve("A or C of the proof is not a point of BN254's G1.")


def _g2(point: G2Point) -> Element:
    if not all(0 <= part < BASE_FIELD for coordinate in point for part in coordinate):
        raise PointNotOnCurve("B of the proof has a coordinate out of range.")
    x, y = point
    element = FQ2(x), FQ2(y), FQ2.one()
    if not curve.is_on_curve(element, curve.b2):
        raise PointNotOnCurve("B of the proof is not on BN254's twisted curve.")
    if not curve.is_inf(curve.multiply(element, SCALAR_FIELD)):
        raise PointNotInSubgroup("B of the proof is outside the subgroup of order r.")
    return element
