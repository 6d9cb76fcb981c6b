"""Make Semaphore proofs: the circuit's witness, then Groth16 over the official proving key.

Groth, "On the Size of Pairing-Based Non-interactive Arguments", EUROCRYPT 2016; snarkjs's variant,
in which the quotient is evaluated on the odd coset of the domain.
"""

import secrets

from identity_proofs import bn254
from identity_proofs.artifacts import Artifacts
from identity_proofs.errors import InvalidMerkleProof, ProvingFailed
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.group import MerkleProof
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof, to_field
from identity_proofs.verification_key import G1Point, G2Point
from identity_proofs.witness import Circuit
from identity_proofs.zkey import Coefficient, parse_zkey

_Points = tuple[G1Point, G2Point, G1Point]


class Prover:
    """Proves with one circuit depth. Loads its files once (seconds); threads may share it."""

    def __init__(self, artifacts: Artifacts) -> None:
        """Load the witness program and the proving key.

        Raises `ArtifactsMissing`, `ArtifactDigestMismatch` or `ArtifactInvalid`.
        """
        self.depth = artifacts.depth
        self._circuit = Circuit.compile(artifacts.read_wasm())
        self._groth16 = _Groth16(artifacts.read_zkey())

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
        signals = self._circuit.witness(
            {
                "secret": [identity.secret_scalar],
                "merkleProofLength": [len(merkle_proof.siblings)],
                "merkleProofIndex": [merkle_proof.index],
                "merkleProofSiblings": self._padded(merkle_proof.siblings),
                "scope": [to_field(scope)],
                "message": [to_field(message)],
            }
        )
        witness = [
            int.from_bytes(signals[i : i + 32], "little") for i in range(0, len(signals), 32)
        ]
        _one, root, nullifier, *_private = witness
        if root != merkle_proof.root:
            raise ProvingFailed("The circuit computed another root than the Merkle proof's.")
        (ax, ay), ((bx0, bx1), (by0, by1)), (cx, cy) = self._groth16.prove(witness)
        points = (ax, ay, bx1, bx0, by1, by0, cx, cy)
        return SemaphoreProof(self.depth, root, nullifier, message, scope, points)

    def _check_merkle_proof(self, identity: Identity, merkle_proof: MerkleProof) -> None:
        if len(merkle_proof.siblings) > self.depth:
            raise InvalidMerkleProof(f"The group is deeper than the circuit's {self.depth} levels.")
        if merkle_proof.leaf != identity.commitment:
            raise InvalidMerkleProof("The Merkle proof is another member's.")
        if not merkle_proof.verify():
            raise InvalidMerkleProof(
                "The Merkle proof does not give its root; rebuild the group and ask it again."
            )

    def _padded(self, siblings: tuple[int, ...]) -> list[int]:
        return [*siblings, *[0] * (self.depth - len(siblings))]


class _Groth16:
    """The proving key as group elements, ready to use. Never changed after it is made."""

    def __init__(self, zkey: bytes) -> None:
        key = parse_zkey(zkey)
        self._n_public = key.n_public
        self._coefficients = key.coefficients
        self._shifts = bn254.odd_coset_shifts(key.domain_size)
        self._alpha1 = bn254.g1_element(key.alpha1)
        self._beta1 = bn254.g1_element(key.beta1)
        self._beta2 = bn254.g2_element(key.beta2)
        self._delta1 = bn254.g1_element(key.delta1)
        self._delta2 = bn254.g2_element(key.delta2)
        self._a = [bn254.g1_element(point) for point in key.a]
        self._b1 = [bn254.g1_element(point) for point in key.b1]
        self._b2 = [bn254.g2_element(point) for point in key.b2]
        self._c = [bn254.g1_element(point) for point in key.c]
        self._h = [bn254.g1_element(point) for point in key.h]

    def prove(self, witness: list[int]) -> _Points:
        """Return A, B and C for a satisfying witness, blinded by two secret random scalars."""
        quotient = self._quotient(witness)
        r, s = secrets.randbelow(R), secrets.randbelow(R)
        product = bn254.multi_scalar_product
        a = self._alpha1 + product(self._a, witness) + self._delta1 * r
        b1 = self._beta1 + product(self._b1, witness) + self._delta1 * s
        b2 = self._beta2 + product(self._b2, witness) + self._delta2 * s
        private = product(self._c, witness[self._n_public + 1 :])
        blinding = a * s + b1 * r + -(self._delta1 * (r * s % R))
        c = private + product(self._h, quotient) + blinding
        return bn254.g1_point(a), bn254.g2_point(b2), bn254.g1_point(c)

    def _quotient(self, witness: list[int]) -> list[int]:
        """Evaluate A B - C on the odd coset; the key's `h` divides by the vanishing polynomial."""
        a, b = _constraint_values(self._coefficients, witness, len(self._shifts))
        c = [x * y % R for x, y in zip(a, b, strict=True)]
        a, b, c = (bn254.to_odd_coset(values, self._shifts) for values in (a, b, c))
        return [(x * y - z) % R for x, y, z in zip(a, b, c, strict=True)]


def _constraint_values(
    coefficients: list[Coefficient], witness: list[int], domain_size: int
) -> tuple[list[int], list[int]]:
    """Multiply the constraint matrices A and B with the witness."""
    a, b = [0] * domain_size, [0] * domain_size
    for term in coefficients:
        values = b if term.in_b else a
        values[term.constraint] += term.value * witness[term.signal]
    return [value % R for value in a], [value % R for value in b]
