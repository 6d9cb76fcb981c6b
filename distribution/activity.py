"""What was claimed in each epoch, and what could have been: from the chain's events alone."""

from collections import defaultdict
from dataclasses import dataclass

from distribution.chain import Chain
from distribution.deployment import DISTRIBUTOR, REGISTRY, Deployment


@dataclass(frozen=True, slots=True)
class EpochActivity:
    """One epoch that was opened.

    Attributes:
        epoch: its number.
        members: of the group whose root it froze: how many may claim.
        amount: what a claim pays, in the coin's smallest unit.
        claims: paid so far.
        paid: in total, fees included.
    """

    epoch: int
    members: int
    amount: int
    claims: int
    paid: int

    @property
    def budget(self) -> int:
        """What it costs if every member claims."""
        return self.members * self.amount


@dataclass(frozen=True, slots=True)
class Activity:
    """What the chain says, up to a block.

    Attributes:
        block: the newest one when it was asked.
        members: of the group as published last.
        epochs: those that were opened, in their order.
    """

    block: int
    members: int
    epochs: tuple[EpochActivity, ...]


def read_activity(chain: Chain, deployment: Deployment) -> Activity:
    """Read the events of registry and distributor; nothing is recomputed from them."""
    block = chain.block_number()
    members_at, members = {0: 0}, 0
    for update in chain.events(REGISTRY, deployment.registry, "RootUpdated", deployment.block):
        members += len(update["commitments"]) - len(update["removals"])
        members_at[update["newRoot"]] = members
    payments = defaultdict[int, list[int]](list)
    for claim in chain.events(DISTRIBUTOR, deployment.distributor, "Claimed", deployment.block):
        payments[claim["epoch"]].append(claim["amount"])
    opened = chain.events(DISTRIBUTOR, deployment.distributor, "EpochOpened", deployment.block)
    epochs = [
        EpochActivity(
            epoch=event["epoch"],
            members=members_at[event["root"]],
            amount=event["amount"],
            claims=len(payments[event["epoch"]]),
            paid=sum(payments[event["epoch"]]),
        )
        for event in opened
    ]
    return Activity(block, members, tuple(sorted(epochs, key=lambda one: one.epoch)))
