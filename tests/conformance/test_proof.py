import json
from typing import Any

import pytest

from identity_proofs.errors import (
    NullifierOutOfField,
    PairingFailed,
    PointNotOnCurve,
    ProofError,
    RootZero,
)
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.poseidon import poseidon
from identity_proofs.proof import SemaphoreProof, encode_signal, to_field
from identity_proofs.prover import Prover
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import verify_proof
from tests.conformance.vectors_reader import read_vectors

VECTORS = read_vectors("proofs")
PROOFS = VECTORS["proofs"]
TAMPERED = VECTORS["tampered"]
IN_FAST_SET = 2

EXPECTED_ERRORS: dict[str, type[ProofError]] = {
    "nullifier+r (non-canonical alias)": NullifierOutOfField,
    "point off-curve": PointNotOnCurve,
    "B coords swapped": PointNotOnCurve,
}


def key_of_depth(depth: int) -> VerificationKey:
    return VerificationKey.from_json(json.dumps(VECTORS["vkeys"][str(depth)]), depth)


def verify(proof: SemaphoreProof) -> None:
    """Verify a proof for what it says itself, so that only its mathematics is in question."""
    verify_proof(
        proof,
        roots={proof.merkle_tree_root},
        scope=proof.scope,
        message=proof.message,
        key=key_of_depth(proof.merkle_tree_depth),
    )


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


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(
            v, marks=[pytest.mark.slow] if i >= IN_FAST_SET else [], id=f"depth{v['depth']}"
        )
        for i, v in enumerate(PROOFS)
    ],
)
def test_valid_proof_is_accepted(vector: dict[str, Any]) -> None:
    verify(SemaphoreProof.from_dict(vector["proof"]))


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(
            v, marks=[] if v["what"] in EXPECTED_ERRORS else [pytest.mark.slow], id=v["what"]
        )
        for v in TAMPERED
    ],
)
def test_tampered_proof_is_refused(vector: dict[str, Any]) -> None:
    proof = SemaphoreProof.from_dict(vector["proof"])
    with pytest.raises(EXPECTED_ERRORS.get(vector["what"], PairingFailed)):
        verify(proof)


def test_a_non_members_valid_proof_of_root_0_is_refused() -> None:
    proof = SemaphoreProof.from_dict(read_vectors("root0_proof"))
    assert proof.merkle_tree_root == 0
    with pytest.raises(RootZero):
        verify(proof)


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
