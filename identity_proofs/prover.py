"""Make Semaphore proofs: the circuit's witness, then Groth16 over the official proving key."""

from identity_proofs.artifacts import Artifacts
from identity_proofs.compiled_cache import CompiledCache
from identity_proofs.errors import InvalidMerkleProof
from identity_proofs.groth16_prover import Groth16Prover
from identity_proofs.group import MerkleProof
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof, to_field
from identity_proofs.witness import Circuit
from identity_proofs.zkey import parse_zkey

_ELEMENT_BYTES = 32
_NOT_ITS_ROOT = "The Merkle proof does not give its root; rebuild the group and ask it again."
_CHECKED = b"checked-1"  # another number when the check changes


class Prover:
    """Proves with one circuit depth. Loads its files once (seconds); threads may share it."""

    def __init__(self, artifacts: Artifacts) -> None:
        """Load the witness program and the proving key.

        What takes long is done once and kept in `compiled` beside the artifacts: the compiled
        program, and that the key was checked. Raises `ArtifactsMissing`, `ArtifactDigestMismatch`
        or `ArtifactInvalid`.
        """
        cache = CompiledCache(artifacts.zkey_path.parent / "compiled")
        self.depth = artifacts.depth
        self._circuit = Circuit.compile(artifacts.read_wasm(), cache)
        self._groth16 = _load_key(artifacts, cache)

    def prove(
        self, identity: Identity, merkle_proof: MerkleProof, *, scope: int, message: int
    ) -> SemaphoreProof:
        """Prove that `identity` is the member `merkle_proof` shows, without telling which.

        `scope` and `message` are integers in [0, 2^256); the nullifier depends on the identity
        and the scope only. Each call draws fresh blinding, so no two proofs look alike.
        Raises `InvalidMerkleProof` if the path is not this identity's, does not give its root or
        is longer than the circuit's depth, `InvalidSignal` for a scope or message out of range.
        """
        self._check_merkle_proof(identity, merkle_proof)
        witness = self._circuit.witness(
            {
                "secret": [identity.secret_scalar],
                "merkleProofLength": [len(merkle_proof.siblings)],
                "merkleProofIndex": [merkle_proof.index],
                "merkleProofSiblings": self._padded(merkle_proof.siblings),
                "scope": [to_field(scope)],
                "message": [to_field(message)],
            }
        )
        root, nullifier = _signal(witness, 1), _signal(witness, 2)
        try:
            if root != merkle_proof.root:
                raise InvalidMerkleProof(_NOT_ITS_ROOT)
            proof = self._groth16.prove(witness)
        finally:
            witness[:] = bytes(len(witness))
        (ax, ay), ((bx0, bx1), (by0, by1)), (cx, cy) = proof.a, proof.b, proof.c
        points = (ax, ay, bx1, bx0, by1, by0, cx, cy)
        return SemaphoreProof(self.depth, root, nullifier, message, scope, points)

    def _check_merkle_proof(self, identity: Identity, merkle_proof: MerkleProof) -> None:
        if len(merkle_proof.siblings) > self.depth:
            raise InvalidMerkleProof(f"The group is deeper than the circuit's {self.depth} levels.")
        if merkle_proof.leaf != identity.commitment:
            raise InvalidMerkleProof("The Merkle proof is another member's.")
        if not merkle_proof.is_in_range():
            raise InvalidMerkleProof(_NOT_ITS_ROOT)

    def _padded(self, siblings: tuple[int, ...]) -> list[int]:
        return [*siblings, *[0] * (self.depth - len(siblings))]


def _load_key(artifacts: Artifacts, cache: CompiledCache) -> Groth16Prover:
    groth16 = Groth16Prover(parse_zkey(artifacts.read_zkey()), cache)
    name = f"{artifacts.zkey_digest}-{_CHECKED.decode()}"
    if cache.get(name) != _CHECKED:
        groth16.check()
        cache.put(name, _CHECKED)
    return groth16


def _signal(witness: bytearray, index: int) -> int:
    start = index * _ELEMENT_BYTES
    return int.from_bytes(witness[start : start + _ELEMENT_BYTES], "little")
