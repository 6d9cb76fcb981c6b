from collections.abc import Iterator
from dataclasses import replace

import pytest
from py_ecc.bn128.bn128_curve import b2
from py_ecc.fields import bn128_FQ2 as FQ2

from identity_proofs import groth16_fast, groth16_kernel, groth16_reference
from identity_proofs.errors import (
    ArtifactInvalid,
    BatchRefused,
    InvalidSignal,
    NullifierOutOfField,
    PairingFailed,
    PointNotInSubgroup,
    PointNotOnCurve,
    ProofError,
    RootUnknown,
    RootZero,
    SignalOutOfField,
    WrongDepth,
    WrongMessage,
    WrongScope,
)
from identity_proofs.field import BASE_FIELD, SCALAR_FIELD
from identity_proofs.groth16 import Groth16
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, judge_batch, verify_batch, verify_proof

KEY = VerificationKey.load()
ROOT = 11

# Nothing about it is a proof, but its points are on the curve: the generators.
G2 = (
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
)
PROOF = SemaphoreProof(KEY.depth, ROOT, 12, 13, 14, (1, 2, *G2, 1, 2))

# x = 1 on the twist; its order has other factors than r.
OUTSIDE_SUBGROUP = (
    0,
    1,
    5912654199736721486680175016176231956195085055698687135131307249486702594212,
    18278151005453108793778860132295291098363647455926340152056652516292830556603,
)


both_paths = pytest.mark.parametrize(
    "groth16",
    [groth16_kernel.all_hold, groth16_fast.all_hold, groth16_reference.all_hold],
    ids=["kernel", "fast", "reference"],
)


def verify(
    proof: SemaphoreProof,
    *,
    roots: set[int] | None = None,
    groth16: Groth16 = groth16_kernel.all_hold,
) -> None:
    accepted = {ROOT} if roots is None else roots
    verify_proof(proof, roots=accepted, scope=14, message=13, key=KEY, groth16=groth16)


@both_paths
def test_points_that_are_no_proof_fail_in_the_pairing(groth16: Groth16) -> None:
    with pytest.raises(PairingFailed):
        verify(PROOF, groth16=groth16)


# Each entry is wrong in its own way and in those of all entries below it, so that the order shows.
ALL_WRONG = replace(
    PROOF,
    merkle_tree_root=0,
    scope=1,
    message=1,
    nullifier=SCALAR_FIELD,
    merkle_tree_depth=20,
    points=(1, 1, *OUTSIDE_SUBGROUP, 1, 1),
)
MENDED_IN_ORDER = [
    (RootZero, {}),
    (RootUnknown, {"merkle_tree_root": ROOT + 1}),
    (WrongScope, {"merkle_tree_root": ROOT}),
    (WrongMessage, {"scope": 14}),
    (NullifierOutOfField, {"message": 13}),
    (WrongDepth, {"nullifier": 12}),
    (PointNotOnCurve, {"merkle_tree_depth": KEY.depth}),
    (PointNotInSubgroup, {"points": (1, 2, *OUTSIDE_SUBGROUP, 1, 2)}),
]


@both_paths
def test_checks_come_in_the_documented_order(groth16: Groth16) -> None:
    proof = ALL_WRONG
    for error, mended in MENDED_IN_ORDER:
        proof = replace(proof, **mended)  # type: ignore[arg-type]
        with pytest.raises(ProofError) as refusal:
            verify(proof, groth16=groth16)
        assert type(refusal.value) is error


def test_root_0_is_refused_even_if_the_caller_accepts_it() -> None:
    with pytest.raises(RootZero):
        verify(replace(PROOF, merkle_tree_root=0), roots={0, ROOT})


def test_no_root_is_accepted_from_an_empty_set() -> None:
    with pytest.raises(RootUnknown):
        verify(PROOF, roots=set())


def test_root_out_of_the_field_is_refused_even_if_the_caller_accepts_it() -> None:
    alias = ROOT + SCALAR_FIELD
    with pytest.raises(SignalOutOfField):
        verify(replace(PROOF, merkle_tree_root=alias), roots={alias})


def test_expected_scope_must_be_a_256_bit_integer() -> None:
    proof = replace(PROOF, scope=2**256)
    with pytest.raises(InvalidSignal):
        verify_proof(proof, roots={ROOT}, scope=2**256, message=13, key=KEY)


@both_paths
@pytest.mark.parametrize("position", range(8))
def test_coordinate_that_is_an_alias_is_refused(position: int, groth16: Groth16) -> None:
    points = list(PROOF.points)
    points[position] += BASE_FIELD
    with pytest.raises(PointNotOnCurve):
        verify(replace(PROOF, points=tuple(points)), groth16=groth16)  # type: ignore[arg-type]


@both_paths
@pytest.mark.parametrize(
    "points",
    [
        (0, 0, *G2, 1, 2),
        (1, 2, 0, 0, 0, 0, 1, 2),
        (1, 2, *G2, 0, 0),
        (1, 2, *G2, -1, 2),
        (1, 2, *reversed(G2), 1, 2),
    ],
)
def test_infinity_and_points_off_the_curve_are_refused(
    points: tuple[int, ...], groth16: Groth16
) -> None:
    with pytest.raises(PointNotOnCurve):
        verify(replace(PROOF, points=points), groth16=groth16)  # type: ignore[arg-type]


def points_outside_the_subgroup() -> Iterator[tuple[int, int, int, int]]:
    """Points of the twist found by x = (n, 1), imaginary parts first; almost none is in G2."""
    for n in range(40):
        x0, x1 = n, 1
        square0, square1 = x0 * x0 - x1 * x1, 2 * x0 * x1
        cube = FQ2([square0 * x0 - square1 * x1, square0 * x1 + square1 * x0])
        y = square_root(cube + b2)
        if y is not None:
            y0, y1 = (int(part) for part in y.coeffs)
            yield x1, x0, y1, y0


def square_root(value: FQ2) -> FQ2 | None:
    """A root in F_q[i] by its norm's root in F_q (q = 3 mod 4), if there is one."""
    a, b = (int(part) for part in value.coeffs)
    norm = pow(a * a + b * b, (BASE_FIELD + 1) // 4, BASE_FIELD)
    for sign in (norm, -norm):
        half = (a + sign) * pow(2, -1, BASE_FIELD) % BASE_FIELD
        y0 = pow(half, (BASE_FIELD + 1) // 4, BASE_FIELD)
        if y0:
            root = FQ2([y0, b * pow(2 * y0, -1, BASE_FIELD)])
            if root * root == value:
                return root
    return None


@both_paths
def test_points_outside_the_subgroup_are_refused(groth16: Groth16) -> None:
    points = [OUTSIDE_SUBGROUP, *points_outside_the_subgroup()]
    assert len(points) > 10
    for b in points[:: 8 if groth16 is groth16_reference.all_hold else 1]:
        with pytest.raises(PointNotInSubgroup):
            verify(replace(PROOF, points=(1, 2, *b, 1, 2)), groth16=groth16)


@both_paths
@pytest.mark.parametrize("name", ["alpha", "beta", "gamma", "delta"])
def test_key_with_a_bad_point_is_refused(name: str, groth16: Groth16) -> None:
    off: object = (1, 1) if name == "alpha" else ((1, 1), (1, 1))
    key = replace(KEY, **{name: off})  # type: ignore[arg-type]
    with pytest.raises(ArtifactInvalid, match="key"):
        verify_proof(PROOF, roots={ROOT}, scope=14, message=13, key=key, groth16=groth16)


def expect(proof: SemaphoreProof) -> ExpectedProof:
    return ExpectedProof(proof, {ROOT}, scope=14, message=13, key=KEY)


@both_paths
def test_a_batch_of_none_holds(groth16: Groth16) -> None:
    verify_batch([], groth16=groth16)


@both_paths
def test_a_batch_names_the_first_at_fault_and_why(groth16: Groth16) -> None:
    no_pairing, off_curve = PROOF, replace(PROOF, points=(1, 1, *G2, 1, 2))
    wrong_scope = replace(PROOF, scope=1)
    for batch, error in [
        ([no_pairing, off_curve, wrong_scope], PairingFailed),
        ([off_curve, no_pairing], PointNotOnCurve),
        ([wrong_scope, off_curve], WrongScope),
    ]:
        with pytest.raises(BatchRefused, match="Proof 0 of the batch") as refusal:
            verify_batch([expect(proof) for proof in batch], groth16=groth16)
        assert (refusal.value.index, type(refusal.value.reason)) == (0, error)


@both_paths
def test_a_judged_batch_tells_each_members_own_fault(groth16: Groth16) -> None:
    no_pairing, off_curve = PROOF, replace(PROOF, points=(1, 1, *G2, 1, 2))
    wrong_scope = replace(PROOF, scope=1)
    batch = [expect(proof) for proof in (no_pairing, off_curve, wrong_scope, no_pairing)]
    verdicts = [type(verdict) for verdict in judge_batch(batch, groth16=groth16)]
    assert verdicts == [PairingFailed, PointNotOnCurve, WrongScope, PairingFailed]
    assert judge_batch([], groth16=groth16) == []
