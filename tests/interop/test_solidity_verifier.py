"""Our signals and points go through the official Solidity verifier, in an EVM of this process."""

from dataclasses import replace

import pytest

from identity_proofs.field import SCALAR_FIELD
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof, encode_signal, to_field
from identity_proofs.prover import Prover
from tests.contracts.chain import Chain, Contract
from tests.interop.conftest import Node

pytestmark = pytest.mark.slow

IDENTITY = Identity.from_private_key(b"member")


@pytest.fixture(scope="module")
def verifier(node: Node) -> Contract:
    compiled = node("compile_verifier.mjs")
    return Chain().deploy(compiled["abi"], compiled["bytecode"])


@pytest.fixture(scope="module")
def proof(prover: Prover) -> SemaphoreProof:
    group = Group([1, 2, IDENTITY.commitment])
    scope, message = encode_signal("epoch 7"), encode_signal("pay me")
    return prover.prove(IDENTITY, group.proof(2), scope=scope, message=message)


def is_valid(verifier: Contract, proof: SemaphoreProof) -> bool:
    ax, ay, bx1, bx0, by1, by0, cx, cy = proof.points
    signals = (
        proof.merkle_tree_root,
        proof.nullifier,
        to_field(proof.message),
        to_field(proof.scope),
    )
    answer: bool = verifier.call(
        "verifyProof",
        (ax, ay),
        ((bx1, bx0), (by1, by0)),
        (cx, cy),
        signals,
        proof.merkle_tree_depth,
    )
    return answer


def test_our_proof_is_accepted(verifier: Contract, proof: SemaphoreProof) -> None:
    assert is_valid(verifier, proof)


@pytest.mark.parametrize("name", ["merkle_tree_root", "nullifier", "message", "scope"])
def test_a_changed_signal_is_refused(verifier: Contract, proof: SemaphoreProof, name: str) -> None:
    assert not is_valid(verifier, replace(proof, **{name: getattr(proof, name) ^ 1}))


def test_an_alias_and_another_depth_are_refused(verifier: Contract, proof: SemaphoreProof) -> None:
    assert not is_valid(verifier, replace(proof, nullifier=proof.nullifier + SCALAR_FIELD))
    assert not is_valid(verifier, replace(proof, merkle_tree_depth=proof.merkle_tree_depth - 1))
