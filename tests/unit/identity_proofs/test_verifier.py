from dataclasses import replace

import pytest

from identity_proofs.errors import (
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
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import verify_proof

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


def verify(proof: SemaphoreProof, *, roots: set[int] | None = None) -> None:
    verify_proof(proof, roots={ROOT} if roots is None else roots, scope=14, message=13, key=KEY)


def test_points_that_are_no_proof_fail_in_the_pairing() -> None:
    with pytest.raises(PairingFailed):
        verify(PROOF)


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


def test_checks_come_in_the_documented_order() -> None:
    proof = ALL_WRONG
    for error, mended in MENDED_IN_ORDER:
        proof = replace(proof, **mended)  # type: ignore[arg-type]
        with pytest.raises(ProofError) as refusal:
            verify(proof)
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


@pytest.mark.parametrize("position", range(8))
def test_coordinate_that_is_an_alias_is_refused(position: int) -> None:
    points = list(PROOF.points)
    points[position] += BASE_FIELD
    with pytest.raises(PointNotOnCurve):
        verify(replace(PROOF, points=tuple(points)))  # type: ignore[arg-type]


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
def test_infinity_and_points_off_the_curve_are_refused(points: tuple[int, ...]) -> None:
    with pytest.raises(PointNotOnCurve):
        verify(replace(PROOF, points=points))  # type: ignore[arg-type]
