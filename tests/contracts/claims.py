"""Real claims: Semaphore proofs of three members, each made once a session."""

from dataclasses import dataclass
from functools import cache

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

Points = tuple[int, int, int, int, int, int, int, int]


@dataclass(frozen=True)
class Claim:
    """The arguments of `claim`, in its order."""

    epoch: int
    recipient: str
    fee: int
    relayer: str
    nullifier: int
    points: Points

    @property
    def arguments(self) -> tuple[int, str, int, str, int, Points]:
        return (
            self.epoch,
            self.recipient,
            self.fee,
            self.relayer,
            self.nullifier,
            self.points,
        )

    def send(self, distributor: Contract, *, sender: str) -> Receipt:
        return distributor.transact("claim", *self.arguments, sender=sender)


def enroll_members(world: World) -> None:
    """Post the members' root to an empty registry."""
    world.registry.transact("update", 0, GROUP.root, 0, COMMITMENTS, [], sender=REGISTRAR)


class Claims:
    """Proves on demand what members would claim from one distributor."""

    def __init__(self, prover: Prover, distributor: Contract) -> None:
        self._prover = prover
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
        scope = self._distributor.call("scope", epoch)
        message = self._distributor.call("message", payee, fee, relayer)
        return make_claim(self._prover, member, (epoch, payee, fee, relayer), scope, message)
