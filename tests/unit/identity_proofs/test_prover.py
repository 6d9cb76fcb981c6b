from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from identity_proofs.artifacts import Artifacts, install_artifacts
from identity_proofs.errors import (
    ArtifactInvalid,
    InvalidMerkleProof,
    InvalidSignal,
    PairingFailed,
    ProvingFailed,
)
from identity_proofs.field import SCALAR_FIELD, SUBGROUP_ORDER
from identity_proofs.groth16_prover import Groth16Prover
from identity_proofs.group import Group, MerkleProof
from identity_proofs.identity import Identity
from identity_proofs.poseidon import poseidon
from identity_proofs.proof import SemaphoreProof
from identity_proofs.prover import Prover
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import verify_proof
from identity_proofs.witness import Circuit
from identity_proofs.zkey import parse_zkey

IDENTITIES = [Identity.from_private_key(f"member {i}".encode()) for i in range(3)]
GROUP = Group(identity.commitment for identity in IDENTITIES)
MEMBER = IDENTITIES[1]


def verify(proof: SemaphoreProof, *, scope: int, message: int) -> None:
    key = VerificationKey.load()
    verify_proof(proof, roots={GROUP.root}, scope=scope, message=message, key=key)


@pytest.fixture(scope="module")
def circuit(artifacts: Artifacts) -> Circuit:
    return Circuit.compile(artifacts.read_wasm())


def test_program_that_is_no_webassembly_is_refused() -> None:
    with pytest.raises(ArtifactInvalid):
        Circuit.compile(b"\0asm nonsense")


def inputs_of(secret: int, depth: int, scope: int = 5, message: int = 7) -> dict[str, list[int]]:
    """The circuit's inputs of the only member of a group."""
    return {
        "secret": [secret],
        "merkleProofLength": [0],
        "merkleProofIndex": [0],
        "merkleProofSiblings": [0] * depth,
        "scope": [scope],
        "message": [message],
    }


@pytest.mark.parametrize("secret", [SUBGROUP_ORDER, SUBGROUP_ORDER + 1, SCALAR_FIELD - 1])
def test_a_secret_that_is_no_scalar_of_the_subgroup_has_no_witness(
    circuit: Circuit, artifacts: Artifacts, secret: int
) -> None:
    """A second secret for the same commitment would be a second nullifier."""
    with pytest.raises(ProvingFailed):
        circuit.witness(inputs_of(secret, artifacts.depth))


def test_witness_holds_the_public_signals(circuit: Circuit, artifacts: Artifacts) -> None:
    secret, scope, message = MEMBER.secret_scalar, 5, 7
    inputs = inputs_of(secret, artifacts.depth, scope, message)
    expected = [1, MEMBER.commitment, poseidon((scope, secret)), message, scope]
    witness = circuit.witness(inputs)
    assert [int.from_bytes(witness[i : i + 32], "little") for i in range(0, 160, 32)] == expected


def test_inputs_that_the_circuit_refuses_are_not_quoted(circuit: Circuit) -> None:
    for inputs in ({"secret": [1, 2]}, {"nothing": [123456789]}):
        with pytest.raises(ProvingFailed) as refusal:
            circuit.witness(inputs)
        assert "123456789" not in str(refusal.value)
        assert refusal.value.__suppress_context__


def test_wrong_inputs_are_refused_before_proving(prover: Prover) -> None:
    merkle_proof = GROUP.proof(1)
    too_deep = MerkleProof(1, MEMBER.commitment, 0, (1,) * (prover.depth + 1))
    wrong_proofs = [GROUP.proof(0), replace(merkle_proof, root=1), too_deep]
    for wrong in wrong_proofs:
        with pytest.raises(InvalidMerkleProof):
            prover.prove(MEMBER, wrong, scope=1, message=2)
    for scope, message in ((-1, 2), (1, 2**256)):
        with pytest.raises(InvalidSignal):
            prover.prove(MEMBER, merkle_proof, scope=scope, message=message)


def test_two_proofs_of_the_same_do_not_look_alike(prover: Prover) -> None:
    first, second = (prover.prove(MEMBER, GROUP.proof(1), scope=1, message=2) for _ in range(2))
    assert first.nullifier == second.nullifier
    assert not set(first.points) & set(second.points)


def test_threads_share_a_prover(prover: Prover) -> None:
    def prove(i: int) -> SemaphoreProof:
        return prover.prove(IDENTITIES[i], GROUP.proof(i), scope=2**256 - 1, message=i)

    with ThreadPoolExecutor(len(IDENTITIES)) as threads:
        proofs = list(threads.map(prove, range(len(IDENTITIES))))
    for i, proof in enumerate(proofs):
        verify(proof, scope=2**256 - 1, message=i)
        assert proof.nullifier == IDENTITIES[i].nullifier(proof.scope)


@pytest.mark.slow
def test_proof_does_not_hold_for_another_message(prover: Prover) -> None:
    proof = prover.prove(MEMBER, GROUP.proof(1), scope=1, message=2)
    verify(proof, scope=1, message=2)
    with pytest.raises(PairingFailed):
        verify(replace(proof, message=3), scope=1, message=3)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [20, 27, 32])
def test_depths_from_the_npm_package(depth: int, tmp_path: Path) -> None:
    package = Path("node_modules/@zk-kit/semaphore-artifacts")
    installed = install_artifacts(package, tmp_path, depth)
    proof = Prover(installed).prove(MEMBER, GROUP.proof(1), scope=1, message=2)
    assert proof.merkle_tree_depth == depth
    verify_proof(proof, roots={GROUP.root}, scope=1, message=2, key=installed.verification_key)
    from_cache = Prover(installed).prove(MEMBER, GROUP.proof(1), scope=1, message=2)
    verify_proof(from_cache, roots={GROUP.root}, scope=1, message=2, key=installed.verification_key)


def test_a_witness_of_another_circuit_is_refused(artifacts: Artifacts) -> None:
    groth16 = Groth16Prover(parse_zkey(artifacts.read_zkey()))
    with pytest.raises(ProvingFailed):
        groth16.prove(bytes(32))
