"""The Groth16 verification key of one circuit depth."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from identity_proofs.errors import ArtifactInvalid, ArtifactsMissing

DEFAULT_DEPTH = 27
"""Pinned depth: 134 million members. One depth for all, so that proofs look alike."""

PUBLIC_SIGNALS = 4
"""Merkle root, nullifier, hashed message, hashed scope."""

G1Point = tuple[int, int]
G2Point = tuple[tuple[int, int], tuple[int, int]]
"""Affine (x, y), each coordinate (c0, c1) standing for c0 + c1 i."""


@dataclass(frozen=True)
class VerificationKey:
    """Affine points with coordinates in [0, q); `ic` has one point more than public signals."""

    depth: int
    alpha: G1Point
    beta: G2Point
    gamma: G2Point
    delta: G2Point
    ic: tuple[G1Point, ...]

    @classmethod
    def load(cls, depth: int = DEFAULT_DEPTH) -> "VerificationKey":
        """Return the key that ships with this package.

        Raises `ArtifactsMissing` for a depth other than the default one: those come with
        `artifacts.load_artifacts`.
        """
        if depth != DEFAULT_DEPTH:
            raise ArtifactsMissing(
                f"Only the key of depth {DEFAULT_DEPTH} ships with the package; "
                f"run `personhood artifacts install --depth {depth}`."
            )
        source = Path(__file__).with_name(f"verification_key_{depth}.json")
        return cls.from_json(source.read_bytes(), depth)

    @classmethod
    def from_json(cls, text: str | bytes, depth: int) -> "VerificationKey":
        """Read snarkjs's JSON, which does not say the circuit's depth.

        Raises `ArtifactInvalid`.
        """
        try:
            fields = json.loads(text)
            if (fields["protocol"], fields["curve"]) != ("groth16", "bn128"):
                raise ArtifactInvalid("The verification key is not for Groth16 over BN254.")
            ic = tuple(_g1(point) for point in fields["IC"])
            key = cls(
                depth,
                _g1(fields["vk_alpha_1"]),
                _g2(fields["vk_beta_2"]),
                _g2(fields["vk_gamma_2"]),
                _g2(fields["vk_delta_2"]),
                ic,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactInvalid("The file is no snarkjs verification key.") from error
        if len(ic) != PUBLIC_SIGNALS + 1:
            raise ArtifactInvalid("The verification key is not for Semaphore's public signals.")
        return key


def _g1(point: Any) -> G1Point:
    x, y, z = (int(coordinate) for coordinate in point)
    if z != 1:
        raise ValueError("not an affine point")
    return x, y


def _g2(point: Any) -> G2Point:
    (x0, x1), (y0, y1), z = ([int(part) for part in coordinate] for coordinate in point)
    if z != [1, 0]:
        raise ValueError("not an affine point")
    return (x0, x1), (y0, y1)
