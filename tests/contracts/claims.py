"""Real claims: Semaphore proofs of three members, each made once a session."""

from dataclasses import dataclass
from functools import cache

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from tests.contracts.chain import Contract, Receipt
from tests.contracts.world import NOBODY, REGISTRAR, World

MEMBERS = [Identity.from_private_key(f"member {i}".encode()) for i in range(3)]
COMMITMENTS = [member.commitment for member in MEMBERS]
GROUP = Group(COMMITMENTS)

RECIPIENTS = ["0x" + f"b{i}" * 20 for i in range(3)]
RELAYER = "0x" + "c0" * 20

Points = tuple[int, ...]


def enroll_members(world: World) -> None:
    """Post the members' root to an empty registry."""
    world.registry.transact("update", 0, GROUP.root, 0, COMMITMENTS, [], sender=REGISTRAR)


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

    def send(self, distributor: Contract, *, sender: str) -> Receipt:
        return distributor.transact("claim", *self.arguments, sender=sender)


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
