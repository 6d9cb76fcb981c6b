"""Groth16 by our kernel: one proof, or a random combination of many.

The kernel checks that points are on their curves and in their groups; see `kernel/src/pairing.h`.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from identity_proofs.errors import ArtifactInvalid, PointNotInSubgroup, PointNotOnCurve, ProofError
from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.groth16 import Equation
from identity_proofs.kernel import ELEMENT_BYTES, Kernel, Product, Term
from identity_proofs.verification_key import VerificationKey

_WEIGHT_BITS = 128


class _Key(NamedTuple):
    """A verification key's points as the kernel has them; those of G1 negated."""

    minus_alpha: bytes
    beta: bytes
    gamma: bytes
    delta: bytes
    minus_ic: tuple[bytes, ...]


def all_hold(equations: Sequence[Equation]) -> bool:
    """See `groth16.Groth16`.

    Each equation is raised to a fresh random weight of 128 bits and all are multiplied, so that n
    proofs of one depth take one product of n + 3 pairings; each further depth adds its delta. A
    false equation passes with a chance of 2^-128 (Bellare, Garay, Rabin, Fast Batch Verification
    for Modular Exponentiation and Digital Signatures, 1998).
    """
    pairs: list[tuple[list[Term], bytes]] = []
    # What is paired with each of the keys' points of G2: sums of scalars times points of G1.
    sums: defaultdict[bytes, defaultdict[bytes, int]] = defaultdict(lambda: defaultdict(int))
    for equation in equations:
        weight = 1 + secrets.randbits(_WEIGHT_BITS) if len(equations) > 1 else 1
        ax, ay, bx1, bx0, by1, by0, cx, cy = equation.points
        pairs.append(([(_point(ax, ay), weight)], _point(bx0, bx1, by0, by1)))
        key = _read_key(equation.key)
        sums[key.beta][key.minus_alpha] += weight
        sums[key.delta][_point(cx, Q - cy)] += weight
        for point, signal in zip(key.minus_ic, (1, *equation.signals), strict=True):
            sums[key.gamma][point] += weight * signal
    for g2, terms in sums.items():
        pairs.append(([(point, scalar % R) for point, scalar in terms.items()], g2))
    return _is_one(pairs)


def _is_one(pairs: Sequence[tuple[Sequence[Term], bytes]]) -> bool:
    found = _kernel().multiply_pairings(pairs)
    if found is Product.P_OFF_CURVE:
        raise PointNotOnCurve("A or C of the proof is not a point of BN254's G1.")
    if found is Product.Q_OFF_CURVE:
        raise PointNotOnCurve("B of the proof is not on BN254's twisted curve.")
    if found is Product.Q_OUTSIDE_SUBGROUP:
        raise PointNotInSubgroup("B of the proof is outside the subgroup of order r.")
    return found is Product.ONE


@lru_cache(maxsize=32)
def _read_key(key: VerificationKey) -> _Key:
    try:
        minus_g1 = [_point(x, Q - y) for x, y in (key.alpha, *key.ic)]
        beta, gamma, delta = (_point(*x, *y) for x, y in (key.beta, key.gamma, key.delta))
        _is_one([([(point, 1) for point in minus_g1], g2) for g2 in (beta, gamma, delta)])
    except ProofError as error:
        raise ArtifactInvalid("The verification key has a point outside its group.") from error
    return _Key(minus_g1[0], beta, gamma, delta, tuple(minus_g1[1:]))


def _point(*coordinates: int) -> bytes:
    """A finite point as the kernel has it, whose infinity is all zeros."""
    if not any(coordinates) or not all(0 <= coordinate < Q for coordinate in coordinates):
        raise PointNotOnCurve("The proof has a coordinate out of range.")
    return b"".join(coordinate.to_bytes(ELEMENT_BYTES, "little") for coordinate in coordinates)


@cache
def _kernel() -> Kernel:
    return Kernel.load()
