"""Groth16 proofs over a circuit's proving key, computed by the kernel."""

import secrets
import struct
from dataclasses import dataclass

from identity_proofs.compiled_cache import CompiledCache
from identity_proofs.errors import ArtifactInvalid, ProvingFailed
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import ELEMENT_BYTES, G1_BYTES, G2_BYTES, Kernel
from identity_proofs.verification_key import G1Point, G2Point
from identity_proofs.zkey import ProvingKey

_SOUND = 0
_SUBGROUP_ROUNDS = 16
_PROOF_BYTES = G1_BYTES + G2_BYTES + G1_BYTES


@dataclass(frozen=True)
class Groth16Proof:
    """Its three points, affine."""

    a: G1Point
    b: G2Point
    c: G1Point


class Groth16Prover:
    """A proving key in a kernel of its own. Threads may share it; their proofs take turns."""

    def __init__(self, key: ProvingKey, cache: CompiledCache | None = None) -> None:
        """Copy the key. Prove with it only if `check` accepts it, or did so before.

        `cache` may hold the compiled kernel.
        """
        self._kernel = Kernel.load(cache)
        self._n_signals = key.n_signals
        numbers = (key.n_signals, key.n_public, key.log_domain, key.n_coefficients)
        parts = (key.points, key.coefficients, key.a, key.b2)
        addresses = [self._kernel.keep(part) for part in parts]
        c = self._kernel.keep(b"".join((key.c, key.b1, key.h)))
        b1 = c + len(key.c)
        addresses += [c, b1, b1 + len(key.b1)]
        self._key = self._kernel.keep(struct.pack("<11I", *numbers, *addresses))

    def check(self) -> None:
        """Check every number, and every point to be on its curve and in its subgroup.

        A point of G2 outside the subgroup passes with a probability of 2^-128. Raises
        `ArtifactInvalid`.
        """
        with self._kernel.scratch() as scratch:
            coefficients = scratch.hold(secrets.token_bytes(_SUBGROUP_ROUNDS * self._n_signals))
            section = scratch.call("groth16_check", self._key, coefficients)
        if section != _SOUND:
            raise ArtifactInvalid(
                f"The .zkey file is damaged: an impossible number or point in section {section}."
            )

    def prove(self, witness: bytes | bytearray) -> Groth16Proof:
        """Return a proof for a satisfying witness, blinded by two secret random scalars.

        `witness` holds 32 little-endian bytes for each signal. Raises `ProvingFailed` if there
        are more or fewer signals than the key is for.
        """
        if len(witness) != self._n_signals * ELEMENT_BYTES:
            raise ProvingFailed("The witness program and the proving key are not of one circuit.")
        with self._kernel.scratch() as scratch:
            blinding = [scratch.hold(_element(secrets.randbelow(R))) for _ in range(2)]
            proof = scratch.reserve(_PROOF_BYTES)
            if not scratch.call(
                "groth16_prove", self._key, scratch.hold(witness), *blinding, proof
            ):
                raise MemoryError("the kernel's memory is full")
            return _read_proof(scratch.read(proof, _PROOF_BYTES))


def _read_proof(data: bytearray) -> Groth16Proof:
    ax, ay, bx0, bx1, by0, by1, cx, cy = (
        int.from_bytes(data[i : i + ELEMENT_BYTES], "little")
        for i in range(0, _PROOF_BYTES, ELEMENT_BYTES)
    )
    return Groth16Proof((ax, ay), ((bx0, bx1), (by0, by1)), (cx, cy))


def _element(value: int) -> bytes:
    return value.to_bytes(ELEMENT_BYTES, "little")
