"""Whatever is changed in a proof, it is refused, and so is every batch that it is in."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import G1, G2, multiply, normalize

from identity_proofs import groth16_fast, groth16_kernel, groth16_reference
from identity_proofs.errors import BatchRefused, PairingFailed, ProofError
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verifier import ExpectedProof, judge_batch, verify_batch, verify_proof
from tests.conformance.test_proof import PROOFS, expect

VALID = [expect(SemaphoreProof.from_dict(vector["proof"])) for vector in PROOFS]
SIGNALS = ("merkle_tree_root", "nullifier", "message", "scope")

words = st.integers(0, 2**256 - 1)
members = st.sampled_from(VALID)


def tamper(expected: ExpectedProof, place: int, bit: int) -> ExpectedProof:
    """Flip a bit of a signal (places 0 to 3) or of a coordinate, and expect what it says then."""
    proof = expected.proof
    if place < len(SIGNALS):
        name = SIGNALS[place]
        return expect(replace(proof, **{name: getattr(proof, name) ^ 1 << bit}))
    points = list(proof.points)
    points[place - len(SIGNALS)] ^= 1 << bit
    return expect(replace(proof, points=tuple(points)))  # type: ignore[arg-type]


places = st.integers(0, len(SIGNALS) + 7)
bits = st.integers(0, 255)


@settings(deadline=None)
@given(members, places, bits)
def test_a_changed_bit_breaks_a_proof(expected: ExpectedProof, place: int, bit: int) -> None:
    with pytest.raises(ProofError):
        verify_proof(**vars(tamper(expected, place, bit)))


@settings(deadline=None)
@given(members, st.tuples(*[words] * 8))
def test_no_points_whatever_do_more_than_fail(
    expected: ExpectedProof, points: tuple[int, int, int, int, int, int, int, int]
) -> None:
    with pytest.raises(ProofError):
        verify_proof(**vars(expect(replace(expected.proof, points=points))))


curve_points = st.integers(1, SCALAR_FIELD - 1).map(lambda k: normalize(multiply(G1, k)))
twist_points = st.integers(1, SCALAR_FIELD - 1).map(lambda k: normalize(multiply(G2, k)))


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(members, curve_points, twist_points, curve_points)
def test_both_paths_refuse_other_points_of_the_groups(
    expected: ExpectedProof, a: Any, b: Any, c: Any
) -> None:
    (bx0, bx1), (by0, by1) = (coordinate.coeffs for coordinate in b)
    points = tuple(int(part) for part in (*a, bx1, bx0, by1, by0, *c))
    wrong = vars(expect(replace(expected.proof, points=points)))  # type: ignore[arg-type]
    for groth16 in (groth16_kernel.all_hold, groth16_fast.all_hold, groth16_reference.all_hold):
        with pytest.raises(PairingFailed):
            verify_proof(**wrong, groth16=groth16)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(members, st.none() | st.tuples(places, bits)), max_size=8))
def test_a_batch_holds_if_and_only_if_every_member_does(
    recipe: list[tuple[ExpectedProof, tuple[int, int] | None]],
) -> None:
    batch = [tamper(valid, *change) if change else valid for valid, change in recipe]
    wrong = [index for index, (_, change) in enumerate(recipe) if change]
    verdicts = judge_batch(batch)
    assert [index for index, verdict in enumerate(verdicts) if verdict is not None] == wrong
    if not wrong:
        verify_batch(batch)
        return
    with pytest.raises(BatchRefused) as refusal:
        verify_batch(batch)
    assert refusal.value.index == wrong[0]
    with pytest.raises(type(refusal.value.reason)):
        verify_proof(**vars(batch[wrong[0]]))
