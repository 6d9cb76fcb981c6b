import json
from dataclasses import replace
from typing import Any

import pytest
from py_ecc.bn128.bn128_curve import G1, add, neg
from py_ecc.fields import bn128_FQ as FQ

from identity_proofs import groth16_fast, groth16_kernel, groth16_reference
from identity_proofs.errors import (
    BatchRefused,
    NullifierOutOfField,
    PairingFailed,
    PointNotOnCurve,
    ProofError,
    RootZero,
)
from identity_proofs.field import BASE_FIELD
from identity_proofs.groth16 import Groth16
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.poseidon import poseidon
from identity_proofs.proof import SemaphoreProof, encode_signal, to_field
from identity_proofs.prover import Prover
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, verify_batch, verify_proof
from tests.conformance.vectors_reader import read_vectors

VECTORS = read_vectors("proofs")
PROOFS = VECTORS["proofs"]
TAMPERED = VECTORS["tampered"]

both_paths = pytest.mark.parametrize(
    "groth16",
    [
        pytest.param(groth16_kernel.all_hold, id="kernel"),
        pytest.param(groth16_fast.all_hold, id="fast"),
        pytest.param(groth16_reference.all_hold, id="reference", marks=pytest.mark.slow),
    ],
)

EXPECTED_ERRORS: dict[str, type[ProofError]] = {
    "nullifier+r (non-canonical alias)": NullifierOutOfField,
    "point off-curve": PointNotOnCurve,
    "B coords swapped": PointNotOnCurve,
}


def key_of_depth(depth: int) -> VerificationKey:
    return VerificationKey.from_json(json.dumps(VECTORS["vkeys"][str(depth)]), depth)


def expect(proof: SemaphoreProof) -> ExpectedProof:
    """Expect of a proof what it says itself, so that only its mathematics is in question."""
    key = key_of_depth(proof.merkle_tree_depth)
    return ExpectedProof(proof, {proof.merkle_tree_root}, proof.scope, proof.message, key)


def verify(proof: SemaphoreProof, groth16: Groth16) -> None:
    verify_proof(**vars(expect(proof)), groth16=groth16)


def read_signal(text: str) -> str | bytes:
    prefix = "Uint8Array:"
    return bytes.fromhex(text.removeprefix(prefix)) if text.startswith(prefix) else text


def test_there_are_ten_valid_and_ten_tampered_proofs() -> None:
    assert len(PROOFS) == len(TAMPERED) == 10


@pytest.mark.parametrize("vector", PROOFS, ids=lambda vector: f"depth{vector['depth']}")
def test_signals_are_the_references(vector: dict[str, Any]) -> None:
    proof = SemaphoreProof.from_dict(vector["proof"])
    identity = Identity.from_private_key(bytes.fromhex(vector["privateKeyHex"]))
    assert encode_signal(read_signal(vector["messageInput"])) == proof.message
    assert encode_signal(read_signal(vector["scopeInput"])) == proof.scope
    assert poseidon((to_field(proof.scope), identity.secret_scalar)) == proof.nullifier


@pytest.mark.parametrize("vector", PROOFS, ids=lambda vector: f"depth{vector['depth']}")
def test_json_goes_both_ways(vector: dict[str, Any]) -> None:
    proof = SemaphoreProof.from_json(json.dumps(vector["proof"]))
    assert json.loads(proof.to_json()) == vector["proof"]


@both_paths
@pytest.mark.parametrize("vector", PROOFS, ids=lambda vector: f"depth{vector['depth']}")
def test_valid_proof_is_accepted(vector: dict[str, Any], groth16: Groth16) -> None:
    verify(SemaphoreProof.from_dict(vector["proof"]), groth16)


@both_paths
@pytest.mark.parametrize("vector", TAMPERED, ids=lambda vector: str(vector["what"]))
def test_tampered_proof_is_refused(vector: dict[str, Any], groth16: Groth16) -> None:
    proof = SemaphoreProof.from_dict(vector["proof"])
    with pytest.raises(EXPECTED_ERRORS.get(vector["what"], PairingFailed)):
        verify(proof, groth16)


@both_paths
def test_a_non_members_valid_proof_of_root_0_is_refused(groth16: Groth16) -> None:
    proof = SemaphoreProof.from_dict(read_vectors("root0_proof"))
    assert proof.merkle_tree_root == 0
    with pytest.raises(RootZero):
        verify(proof, groth16)
    with pytest.raises(BatchRefused, match="Root 0"):
        verify_batch([expect(proof)], groth16=groth16)


@both_paths
def test_all_valid_proofs_are_accepted_as_one_batch_of_mixed_depths(groth16: Groth16) -> None:
    batch = [expect(SemaphoreProof.from_dict(vector["proof"])) for vector in PROOFS]
    assert len({expected.key.depth for expected in batch}) > 1
    verify_batch(batch, groth16=groth16)


@pytest.mark.parametrize("vector", TAMPERED, ids=lambda vector: str(vector["what"]))
def test_one_tampered_proof_fails_a_batch_and_is_named(vector: dict[str, Any]) -> None:
    valid = [expect(SemaphoreProof.from_dict(vector["proof"])) for vector in PROOFS[:3]]
    tampered = expect(SemaphoreProof.from_dict(vector["proof"]))
    with pytest.raises(BatchRefused) as refusal:
        verify_batch([*valid, tampered, tampered, valid[0]])
    assert refusal.value.index == len(valid)
    assert type(refusal.value.reason) is EXPECTED_ERRORS.get(vector["what"], PairingFailed)


@both_paths
@pytest.mark.parametrize("vector", PROOFS[:3], ids=lambda vector: f"depth{vector['depth']}")
def test_negating_a_and_b_gives_another_proof_of_the_same(
    vector: dict[str, Any], groth16: Groth16
) -> None:
    """Groth16 proofs are malleable: the nullifier, not the points, says what was seen before."""
    proof = SemaphoreProof.from_dict(vector["proof"])
    points = list(proof.points)
    for position in (1, 4, 5):  # the y of A, both parts of that of B
        points[position] = BASE_FIELD - points[position]
    verify(replace(proof, points=tuple(points)), groth16)  # type: ignore[arg-type]


def test_errors_that_cancel_each_other_fail_a_batch() -> None:
    """One C moved by the generator and another moved back: only the weights tell."""
    proof = SemaphoreProof.from_dict(PROOFS[0]["proof"])
    *ab, cx, cy = proof.points
    batch = []
    for shift in (G1, neg(G1)):
        x, y = add((FQ(cx), FQ(cy)), shift)
        batch.append(expect(replace(proof, points=(*ab, int(x), int(y)))))  # type: ignore[arg-type]
    with pytest.raises(BatchRefused) as refusal:
        verify_batch(batch)
    assert (refusal.value.index, type(refusal.value.reason)) == (0, PairingFailed)


@pytest.mark.slow
def test_our_proof_at_the_pinned_depth_verifies(prover: Prover) -> None:
    identities = [Identity.from_private_key(f"member {i}".encode()) for i in range(5)]
    group = Group(identity.commitment for identity in identities)
    scope, message = encode_signal("epoch 7"), encode_signal("pay me")
    for index in (0, 4):
        proof = prover.prove(identities[index], group.proof(index), scope=scope, message=message)
        key = VerificationKey.load(prover.depth)
        verify_proof(proof, roots={group.root}, scope=scope, message=message, key=key)
        secret = identities[index].secret_scalar
        assert proof.nullifier == poseidon((to_field(scope), secret))


@pytest.mark.slow
def test_our_nullifiers_are_the_references(prover: Prover) -> None:
    vector = PROOFS[3]
    identity = Identity.from_private_key(bytes.fromhex(vector["privateKeyHex"]))
    expected = SemaphoreProof.from_dict(vector["proof"])
    group = Group(map(int, vector["groupMembers"]))
    merkle_proof = group.proof(vector["leafIndex"])
    proof = prover.prove(identity, merkle_proof, scope=expected.scope, message=expected.message)
    assert (proof.merkle_tree_root, proof.nullifier) == (
        expected.merkle_tree_root,
        expected.nullifier,
    )
