"""What the chain holds, as a value that the front door reads for the console."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochLine:
    """One epoch.

    Args:
        root: 0x-hex, or None while nobody has opened it.
        claims: paid.
        paid: over all its claims, in coins, as text.
        ends_at: Unix seconds.
    """

    epoch: int
    root: str | None
    claims: int
    paid: str
    ends_at: int


@dataclass(frozen=True)
class QueueLine:
    """What waits to be sent, or to become final.

    Args:
        name: whose queue it is.
        waiting: how many.
        oldest: seconds that the first of them has waited.
        under_way: transactions that are sent and not final.
        eta: seconds until all of it is final, about; None where nobody knows.
    """

    name: str
    waiting: int
    oldest: int
    under_way: int
    eta: int | None


@dataclass(frozen=True)
class ChainStatus:
    """The chain as it was read, or why it could not be.

    Args:
        problem: why the rest is empty or old; None where all is well.
        read_at: Unix seconds.
        root: of the registry now, 0x-hex.
        members: on the chain.
        removed: of these, removed since.
        pool: what the distributor holds, in coins, as text.
        amount: what one claim of this epoch pays, in coins, as text; None while that is open.
        epochs: the current one first, then those that can still be claimed.
        queues: the publisher's, and a relayer's where one keeps its queue on this machine.
    """

    problem: str | None
    read_at: int
    chain_id: int | None = None
    registry: str = ""
    distributor: str = ""
    root: str = ""
    members: int = 0
    removed: int = 0
    quorum: int = 0
    attesters: int = 0
    paused: bool = False
    pool: str = ""
    amount: str | None = None
    epochs: tuple[EpochLine, ...] = ()
    queues: tuple[QueueLine, ...] = ()
