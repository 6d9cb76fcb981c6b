"""Verify Semaphore proofs, including what the proof alone does not show.

The only file that knows `py_ecc`. It checks that points are on the curve; G2's subgroup is
checked here.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, TypeAlias

from py_ecc.fields import optimized_bn128_FQ as FQ
from py_ecc.fields import optimized_bn128_FQ2 as FQ2
from py_ecc.fields import optimized_bn128_FQ12 as FQ12
from py_ecc.optimized_bn128 import optimized_curve as curve
from py_ecc.optimized_bn128 import optimized_pairing as pairing

from identity_proofs.errors import (
    NullifierOutOfField,
    PairingFailed,
    PointNotInSubgroup,
    PointNotOnCurve,
    RootUnknown,
    RootZero,
    SignalOutOfField,
    WrongDepth,
    WrongMessage,
    WrongScope,
)
from identity_proofs.field import BASE_FIELD, SCALAR_FIELD
from identity_proofs.proof import SemaphoreProof, to_field
from identity_proofs.verification_key import G1Point, G2Point, VerificationKey

Element: TypeAlias = Any
"""A projective point of G1 or G2, or a member of the target field, as py_ecc has them."""


def verify_proof(
    proof: SemaphoreProof,
    *,
    roots: Collection[int],
    scope: int,
    message: int,
    key: VerificationKey,
) -> None:
    """Return if `proof` shows that a member of a group in `roots` sent `message` in `scope`.

    `scope` and `message` are the unhashed integers in [0, 2^256). Whether the nullifier was seen
    before is the caller's to know. The checks, each with its own error, in this order:

    1. The root is not 0 (`RootZero`) and is one of `roots` (`RootUnknown`).
    2. The scope is the expected one (`WrongScope`).
    3. The message is the expected one (`WrongMessage`).
    4. Nullifier and root are below r (`NullifierOutOfField`, `SignalOutOfField`).
    5. The circuit's depth is the key's (`WrongDepth`).
    6. The points are on the curve (`PointNotOnCurve`), B in the subgroup (`PointNotInSubgroup`).
    7. Groth16's pairing equation holds (`PairingFailed`).

    Raises `InvalidSignal` if the expected scope or message is out of range.
    """
    if proof.merkle_tree_root == 0:
        raise RootZero("Root 0 is no group's; anyone can prove it.")
    if proof.merkle_tree_root not in roots:
        raise RootUnknown("The proof's root is not accepted; prove against a current root.")
    if proof.scope != scope:
        raise WrongScope("The proof was made for another scope.")
    if proof.message != message:
        raise WrongMessage("The proof was made for another message.")
    if not 0 <= proof.nullifier < SCALAR_FIELD:
        raise NullifierOutOfField("The nullifier is not below the scalar field's order.")
    if not 0 <= proof.merkle_tree_root < SCALAR_FIELD:
        raise SignalOutOfField("The root is not below the scalar field's order.")
    if proof.merkle_tree_depth != key.depth:
        raise WrongDepth(f"Proofs must be made with the circuit of depth {key.depth}.")
    signals = (proof.merkle_tree_root, proof.nullifier, to_field(message), to_field(scope))
    _verify_groth16(proof.points, signals, key)


def _verify_groth16(
    points: tuple[int, ...], signals: tuple[int, ...], key: VerificationKey
) -> None:
    """Check e(A, B) = e(alpha, beta) e(L, gamma) e(C, delta), L binding the public signals."""
    ax, ay, bx1, bx0, by1, by0, cx, cy = points
    a = _checked_g1((ax, ay))
    b = _checked_g2(((bx0, bx1), (by0, by1)))
    c = _checked_g1((cx, cy))
    binding = _g1(key.ic[0])
    for point, signal in zip(key.ic[1:], signals, strict=True):
        binding = curve.add(binding, curve.multiply(_g1(point), signal))
    product = _miller(b, curve.neg(a)) * _alpha_beta(key)
    product *= _miller(_g2(key.gamma), binding) * _miller(_g2(key.delta), c)
    if pairing.final_exponentiate(product) != FQ12.one():
        raise PairingFailed("The proof does not hold for its root, nullifier, scope and message.")


@lru_cache(maxsize=32)
def _alpha_beta(key: VerificationKey) -> Element:
    return _miller(_g2(key.beta), _g1(key.alpha))


def _miller(g2: Element, g1: Element) -> Element:
    return pairing.pairing(g2, g1, final_exponentiate=False)


def _checked_g1(point: G1Point) -> Element:
    # G1 has no other points than its prime-order ones. (0, 0), infinity elsewhere, is refused.
    if all(0 <= coordinate < BASE_FIELD for coordinate in point):
        element = _g1(point)
        if curve.is_on_curve(element, curve.b):
            return element
    raise PointNotOnCurve("A or C of the proof is not a point of BN254's G1.")


def _checked_g2(point: G2Point) -> Element:
    if not all(0 <= part < BASE_FIELD for coordinate in point for part in coordinate):
        raise PointNotOnCurve("B of the proof has a coordinate out of range.")
    element = _g2(point)
    if not curve.is_on_curve(element, curve.b2):
        raise PointNotOnCurve("B of the proof is not on BN254's twisted curve.")
    if not curve.is_inf(curve.multiply(element, SCALAR_FIELD)):
        raise PointNotInSubgroup("B of the proof is outside the subgroup of order r.")
    return element


def _g1(point: G1Point) -> Element:
    x, y = point
    return FQ(x), FQ(y), FQ(1)


def _g2(point: G2Point) -> Element:
    x, y = point
    return FQ2(x), FQ2(y), FQ2.one()
