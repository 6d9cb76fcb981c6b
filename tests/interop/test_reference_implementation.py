"""Identities, groups and proofs go both ways between us and `@semaphore-protocol/core`."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from identity_proofs.artifacts import Artifacts
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof, encode_signal
from identity_proofs.prover import Prover
from identity_proofs.verifier import ExpectedProof, verify_batch
from tests.interop.conftest import Node

pytestmark = pytest.mark.slow

REFERENCE = "reference.mjs"
MEMBERS = [Identity.from_private_key(f"member {i}".encode()) for i in range(5)]
GROUP = Group(member.commitment for member in MEMBERS)
SCOPE, MESSAGE = "epoch 7", "pay me"


def private_key(identity: Identity) -> str:
    return base64.b64encode(identity.private_key).decode()


def make_proof(prover: Prover, index: int) -> SemaphoreProof:
    scope, message = encode_signal(SCOPE), encode_signal(MESSAGE)
    return prover.prove(MEMBERS[index], GROUP.proof(index), scope=scope, message=message)


@pytest.fixture(scope="module")
def our_proofs(prover: Prover) -> list[SemaphoreProof]:
    return [make_proof(prover, index) for index in (0, 4)]


@pytest.fixture(scope="module")
def their_proof(node: Node, artifacts: Artifacts) -> dict[str, Any]:
    answer: dict[str, Any] = node(
        REFERENCE,
        question="prove",
        privateKey=private_key(MEMBERS[0]),
        members=[str(member) for member in GROUP.members],
        message=MESSAGE,
        scope=SCOPE,
        depth=artifacts.depth,
        wasm=str(artifacts.wasm_path),
        zkey=str(artifacts.zkey_path),
    )
    return answer


@pytest.mark.parametrize("key", [bytes(range(32)), b"\xff" * 32, "a text key ü".encode(), b"x"])
def test_an_identity_is_the_same_there(node: Node, key: bytes) -> None:
    ours = Identity.from_private_key(key)
    theirs = node(REFERENCE, question="identity", privateKey=private_key(ours))
    assert theirs == {
        "export": ours.export(),
        "imported": str(ours.commitment),
        "commitment": str(ours.commitment),
        "secretScalar": str(ours.secret_scalar),
        "publicKey": [str(coordinate) for coordinate in ours.public_key],
    }
    assert Identity.from_export(theirs["export"]).private_key == key


@pytest.mark.parametrize(("change", "valid"), [(0, True), (1, False)])
def test_a_signature_is_judged_the_same_there(node: Node, change: int, valid: bool) -> None:
    identity = MEMBERS[0]
    signature = identity.sign(12345)
    assert valid is node(
        REFERENCE,
        question="signature",
        message=str(12345 + change),
        signature={"r8": [str(part) for part in signature.r8], "s": str(signature.s)},
        publicKey=[str(part) for part in identity.public_key],
    )


@pytest.mark.parametrize("index", range(5))
def test_a_group_is_the_same_there(node: Node, index: int) -> None:
    ours = GROUP.proof(index)
    members = [str(member) for member in GROUP.members]
    assert node(REFERENCE, question="group", members=members, index=index) == {
        "root": str(ours.root),
        "leaf": str(ours.leaf),
        "index": ours.index,
        "siblings": [str(sibling) for sibling in ours.siblings],
    }


def test_our_proofs_are_accepted_there(node: Node, our_proofs: list[SemaphoreProof]) -> None:
    proof = our_proofs[0]
    changed = replace(proof, nullifier=proof.nullifier ^ 1)
    proofs = [proof.to_dict() for proof in (*our_proofs, changed)]
    assert node(REFERENCE, question="verify", proofs=proofs) == [True, True, False]


def test_their_proof_is_accepted_here(
    their_proof: dict[str, Any], artifacts: Artifacts, our_proofs: list[SemaphoreProof]
) -> None:
    theirs = SemaphoreProof.from_dict(their_proof)
    scope, message = encode_signal(SCOPE), encode_signal(MESSAGE)
    key = artifacts.verification_key
    verify_batch(
        [ExpectedProof(proof, {GROUP.root}, scope, message, key) for proof in (theirs, *our_proofs)]
    )


def test_our_json_is_theirs(their_proof: dict[str, Any], our_proofs: list[SemaphoreProof]) -> None:
    """All fields but the points, which are blinded; theirs, read and written again, are equal."""
    ours = our_proofs[0].to_dict()
    assert {**their_proof, "points": ours["points"]} == ours
    assert SemaphoreProof.from_dict(their_proof).to_dict() == their_proof
