"""Writes `crowd.json`: a proof of each of the crowd, for the distributor of every test world.

    python -m tests.contracts.make_crowd_proofs

Takes about a minute. To be run again if the address of the distributor changes, which is that of
the third contract that the tests' deployer deploys, or if the crowd or its terms do.
"""

import json

from identity_proofs.artifacts import load_artifacts
from identity_proofs.prover import Prover
from personhood.settings import Settings
from tests.contracts.chain import CHAIN_ID
from tests.contracts.claims import (
    CROWD,
    CROWD_FEE,
    CROWD_GROUP,
    CROWD_PROOFS,
    RELAYER,
    crowd_recipient,
    message_of,
    scope_of,
)
from tests.contracts.world import build_world


def main() -> None:
    """Prove for everybody and write the file."""
    prover = Prover(load_artifacts(Settings().artifacts_dir()))
    scope = scope_of(CHAIN_ID, build_world().distributor.address, 0)
    proofs = []
    for index, member in enumerate(CROWD):
        message = message_of(crowd_recipient(index), CROWD_FEE, RELAYER)
        proof = prover.prove(member, CROWD_GROUP.proof(index), scope=scope, message=message)
        points = [str(point) for point in proof.points]
        proofs.append({"nullifier": str(proof.nullifier), "points": points})
    CROWD_PROOFS.write_text(json.dumps(proofs, indent=1) + "\n")


if __name__ == "__main__":
    main()
