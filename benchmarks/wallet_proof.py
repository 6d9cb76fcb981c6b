"""The process that `prover.py` measures: wallet_proof.py DEPTH ARTIFACTS ROOT prints a proof."""

import sys
from pathlib import Path

from identity_proofs.artifacts import load_artifacts
from identity_proofs.group import MerkleProof
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover

PRIVATE_KEY = b"benchmark"
SCOPE, MESSAGE = 17, 1789


def siblings(depth: int) -> tuple[int, ...]:
    """Return the path of the first member of a full group."""
    return tuple(range(1, depth + 1))


def main() -> None:
    depth, root = int(sys.argv[1]), int(sys.argv[3])
    identity = Identity.from_private_key(PRIVATE_KEY)
    merkle_proof = MerkleProof(root, identity.commitment, 0, siblings(depth))
    prover = Prover(load_artifacts(Path(sys.argv[2]), depth))
    print(prover.prove(identity, merkle_proof, scope=SCOPE, message=MESSAGE).to_json())


if __name__ == "__main__":
    main()
