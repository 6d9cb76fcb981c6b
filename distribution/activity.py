"""What was claimed in each epoch, and what could have been: from the chain's events alone."""

from collections import defaultdict
from dataclasses import dataclass

from distribution.record import ChainRecord


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


def activity_of(record: ChainRecord) -> Activity:
    """Sum up what was recorded, by epoch."""
    members_at, members = {0: 0}, 0
    for update in record.updates:
        members += len(update.commitments) - len(update.removals)
        members_at[update.root] = members
    payments = defaultdict[int, list[int]](list)
    for payment in record.payments:
        payments[payment.epoch].append(payment.amount)
    epochs = [
        EpochActivity(
            epoch=opened.epoch,
            members=members_at[opened.root],
            amount=opened.amount,
            claims=len(payments[opened.epoch]),
            paid=sum(payments[opened.epoch]),
        )
        for opened in record.epochs
    ]
    return Activity(record.block, members, tuple(sorted(epochs, key=lambda one: one.epoch)))
