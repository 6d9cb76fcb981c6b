"""Groth16 by zksnake's pairing (arkworks): one proof, or a random combination of many.

What `groth16_kernel` is tested against. The only file that knows `zksnake`. Its point constructors
abort with a panic, which is no `Exception`, on a point off the curve or outside the subgroup. So
nothing is built before range and curve are checked here, and points of G2 come in through the
compressed form, whose reader refuses one outside the subgroup with a `ValueError`.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from zksnake.ecc import EllipticCurve

from identity_proofs.errors import (
    ArtifactInvalid,
    PointNotInSubgroup,
    PointNotOnCurve,
    ProofError,
)
from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.groth16 import Equation
from identity_proofs.verification_key import G1Point, G2Point, VerificationKey

Element: TypeAlias = Any
"""An element of G1, G2 or the target group, as zksnake has them."""

_WEIGHT_BITS = 128
_COORDINATE_BYTES = 32
_CURVE = EllipticCurve("BN254")
_ONE = _CURVE.pairing(_CURVE.G1() * 0, _CURVE.G2())

# G2 lies on y^2 = x^3 + 3 / (9 + i), where i^2 = -1; 82 is the norm of 9 + i.
_B0 = 27 * pow(82, -1, Q) % Q
_B1 = -3 * pow(82, -1, Q) % Q


def all_hold(equations: Sequence[Equation]) -> bool:
    """See `groth16.Groth16`.

    Each equation is raised to a fresh random weight of 128 bits and all are multiplied, so that n
    proofs of one depth take one product of n + 3 pairings; each further depth adds its delta. A
    false equation passes with a chance of 2^-128 (Bellare, Garay, Rabin, Fast Batch Verification
    for Modular Exponentiation and Digital Signatures, 1998).
    """
    g1_side: list[Element] = []
    g2_side: list[Element] = []
    # What is paired with each of the keys' points of G2: a sum of scalars times points of G1.
    sums: defaultdict[G2Point, defaultdict[G1Point, int]] = defaultdict(lambda: defaultdict(int))
    elements: dict[G1Point | G2Point, Element] = {}
    for equation in equations:
        weight = 1 + secrets.randbits(_WEIGHT_BITS) if len(equations) > 1 else 1
        ax, ay, bx1, bx0, by1, by0, cx, cy = equation.points
        g1_side.append(_g1((ax, ay)) * weight)
        g2_side.append(_g2(((bx0, bx1), (by0, by1))))
        elements[cx, cy] = _g1((cx, cy))
        key = equation.key
        elements |= _elements_of(key)
        sums[key.beta][key.alpha] += weight
        sums[key.delta][cx, cy] += weight
        for point, signal in zip(key.ic, (1, *equation.signals), strict=True):
            sums[key.gamma][point] += weight * signal
    for g2, terms in sums.items():
        scalars = [scalar % R for scalar in terms.values()]
        g1_side.append(-_CURVE.multiexp([elements[point] for point in terms], scalars))
        g2_side.append(elements[g2])
    return not equations or bool(_CURVE.multi_pairing(g1_side, g2_side) == _ONE)


@lru_cache(maxsize=32)
def _elements_of(key: VerificationKey) -> dict[G1Point | G2Point, Element]:
    elements: dict[G1Point | G2Point, Element] = {}
    try:
        for g1 in (key.alpha, *key.ic):
            elements[g1] = _g1(g1)
        for g2 in (key.beta, key.gamma, key.delta):
            elements[g2] = _g2(g2)
    except ProofError as error:
        raise ArtifactInvalid("The verification key has a point outside its group.") from error
    return elements


def _g1(point: G1Point) -> Element:
    x, y = point
    # G1 has no other points than its prime-order ones. (0, 0), infinity elsewhere, is refused.
    if not (0 <= x < Q and 0 <= y < Q and (y * y - x * x * x - 3) % Q == 0):
        raise PointNotOnCurve("A or C of the proof is not a point of BN254's G1.")
    return _CURVE(x, y)


def _g2(point: G2Point) -> Element:
    (x0, x1), (y0, y1) = point
    if not all(0 <= part < Q for part in (x0, x1, y0, y1)):
        raise PointNotOnCurve("B of the proof has a coordinate out of range.")
    if not _is_on_twist(x0, x1, y0, y1):
        raise PointNotOnCurve("B of the proof is not on BN254's twisted curve.")
    compressed = x0.to_bytes(_COORDINATE_BYTES, "little") + x1.to_bytes(_COORDINATE_BYTES, "little")
    try:
        element = _CURVE.from_hex(compressed.hex())
    except ValueError:
        raise PointNotInSubgroup("B of the proof is outside the subgroup of order r.") from None
    return element if element.y == [y0, y1] else -element


def _is_on_twist(x0: int, x1: int, y0: int, y1: int) -> bool:
    """Tell whether y^2 = x^3 + b in F_q[i], for x = x0 + x1 i and y likewise."""
    square0, square1 = x0 * x0 - x1 * x1, 2 * x0 * x1
    cube0, cube1 = square0 * x0 - square1 * x1, square0 * x1 + square1 * x0
    real = (y0 * y0 - y1 * y1 - cube0 - _B0) % Q
    imaginary = (2 * y0 * y1 - cube1 - _B1) % Q
    return real == imaginary == 0
