"""Real claims: Semaphore proofs of three members, each made once a session.

And of a crowd of a hundred, made once and kept in `crowd.json`: see `make_crowd_proofs`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from distribution.attestation import address_of
from distribution.batch import Entry, ProvenClaim, draw_weights
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from tests.contracts.chain import Contract, Receipt
from tests.contracts.weighted_sums import weighted_sum
from tests.contracts.world import AMOUNT, NOBODY, STRANGER, World

MEMBERS = [Identity.from_private_key(f"member {i}".encode()) for i in range(3)]
COMMITMENTS = [member.commitment for member in MEMBERS]
GROUP = Group(COMMITMENTS)

CROWD = [Identity.from_private_key(f"one of the crowd, {i}".encode()) for i in range(100)]
CROWD_GROUP = Group([member.commitment for member in CROWD])
CROWD_PROOFS = Path(__file__).parent / "crowd.json"

RECIPIENTS = ["0x" + f"b{i}" * 20 for i in range(3)]
RELAYER_KEY = "0x" + "c0" * 32
RELAYER = address_of(RELAYER_KEY).lower()
CROWD_FEE = AMOUNT // 100

Points = tuple[int, ...]


def enroll_members(world: World) -> None:
    """Post the members' root to an empty registry."""
    world.post(0, GROUP.root, 0, COMMITMENTS, [])


def enroll_crowd(world: World) -> None:
    """Post the crowd's root to an empty registry."""
    world.post(0, CROWD_GROUP.root, 0, CROWD_GROUP.members, [])


def scope_of(chain_id: int, distributor: str, epoch: int) -> int:
    preimage = encode(["uint256", "address", "uint256"], [chain_id, distributor, epoch])
    return int.from_bytes(keccak(preimage), "big")


def message_of(recipient: str, fee: int, relayer: str) -> int:
    preimage = encode(["address", "uint256", "address"], [recipient, fee, relayer])
    return int.from_bytes(keccak(preimage), "big")


@dataclass(frozen=True)
class Claim:
    epoch: int
    recipient: str
    fee: int
    relayer: str
    nullifier: int
    points: Points

    @property
    def arguments(self) -> tuple[int, str, int, str, int, Points]:
        """What `claim` takes, in its order."""
        terms = (self.epoch, self.recipient, self.fee, self.relayer)
        return *terms, self.nullifier, self.points

    @property
    def in_batch(self) -> ProvenClaim:
        return ProvenClaim(self.recipient, self.fee, self.nullifier, self.points)

    def send(self, distributor: Contract, *, sender: str) -> Receipt:
        return distributor.transact("claim", *self.arguments, sender=sender)


@dataclass(frozen=True)
class Batch:
    """What `claimBatch` takes, in its order."""

    epoch: int
    relayer: str
    entries: tuple[Entry, ...]
    folded: tuple[int, int]

    @classmethod
    def of(cls, world: World, claims: Sequence[Claim], *, root: int | None = None) -> "Batch":
        """Claims of one epoch and one relayer, folded for the epoch's root."""
        epoch, relayer = claims[0].epoch, claims[0].relayer
        proven = [claim.in_batch for claim in claims]
        weights = draw_weights(
            world.chain.chain_id,
            world.distributor.address,
            epoch,
            world.root_of(epoch) if root is None else root,
            relayer,
            proven,
        )
        entries = tuple(claim.entry for claim in proven)
        folded = weighted_sum([(one.points[6], one.points[7]) for one in proven], weights)
        return cls(epoch, relayer, entries, folded)

    @property
    def arguments(self) -> tuple[int, str, tuple[Entry, ...], tuple[int, int]]:
        return self.epoch, self.relayer, self.entries, self.folded

    def send(self, world: World, *, sender: str = STRANGER) -> Receipt:
        return world.distributor.transact("claimBatch", *self.arguments, sender=sender)


def crowd_recipient(member: int) -> str:
    return "0x" + keccak(f"recipient {member}".encode())[:20].hex()


def read_crowd_claims() -> list[Claim]:
    """A claim of each of the crowd for epoch 0, with a fee."""
    proofs: list[dict[str, Any]] = json.loads(CROWD_PROOFS.read_text())
    return [
        Claim(
            epoch=0,
            recipient=crowd_recipient(member),
            fee=CROWD_FEE,
            relayer=RELAYER,
            nullifier=int(proof["nullifier"]),
            points=tuple(int(point) for point in proof["points"]),
        )
        for member, proof in enumerate(proofs)
    ]


class Claims:
    """Proves on demand what members would claim from one distributor."""

    def __init__(self, prover: Prover, chain_id: int, distributor: str) -> None:
        self._prover = prover
        self._chain_id = chain_id
        self._distributor = distributor
        self.of = cache(self._prove)

    def _prove(
        self,
        member: int,
        *,
        epoch: int = 0,
        recipient: str | None = None,
        fee: int = 0,
        relayer: str = NOBODY,
    ) -> Claim:
        payee = recipient or RECIPIENTS[member]
        proof = self._prover.prove(
            MEMBERS[member],
            GROUP.proof(member),
            scope=scope_of(self._chain_id, self._distributor, epoch),
            message=message_of(payee, fee, relayer),
        )
        return Claim(epoch, payee, fee, relayer, proof.nullifier, proof.points)
