"""The epochs that can be claimed now, as the chain has them."""

from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from distribution.chain import Chain
from distribution.claims import compute_scope
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.errors import ChainUnreachable, DistributionError
from distribution.refusals import refusal

FRESH: Final = 2.0  # seconds for which an epoch's state is taken from memory


@dataclass(frozen=True, slots=True)
class Epoch:
    """What the contract says of an epoch.

    Attributes:
        root: 0 where nobody opened it.
        amount: what a claim takes from the pool, in the token's smallest unit.
        claims_end: when it can no longer be claimed, seconds since 1970.
    """

    number: int
    root: int
    amount: int
    claims_end: int


@dataclass(frozen=True, slots=True)
class Treasury:
    """What the contract says now.

    Attributes:
        block, now: the newest block, or the one before it, and its timestamp.
        current: number of the epoch that is running.
        payable: how much could be paid out, in the token's smallest unit.
        epochs: by their numbers.
        read_at: when this was read, by the machine's monotonic clock.
    """

    block: int
    now: int
    is_paused: bool
    current: int
    payable: int
    epochs: dict[int, Epoch]
    read_at: float


def read_treasury(chain: Chain, deployment: Deployment, epochs: Collection[int]) -> Treasury:
    """Ask for all of it at once.

    Args:
        epochs: numbers of those that are wanted, and no others.

    Raises:
        ContractRefused: the first epoch has not begun.
    """
    asked: list[tuple[Any, ...]] = [("pausedSince",), ("currentEpoch",), ("payableNow",)]
    for number in epochs:
        asked += [("epochRoot", number), ("epochAmount", number), ("claimsEnd", number)]
    try:
        head, answers = chain.call_at_head(DISTRIBUTOR, deployment.distributor, asked)
    except ChainUnreachable:
        raise
    except DistributionError:
        chain.call(DISTRIBUTOR, deployment.distributor, "currentEpoch")  # which tells why
        raise
    paused, current, payable, *told = answers
    found = {
        number: Epoch(number, *told[3 * index : 3 * index + 3])
        for index, number in enumerate(epochs)
    }
    return Treasury(head.number, head.timestamp, bool(paused), current, payable, found, monotonic())


@dataclass(frozen=True, slots=True)
class OpenEpoch:
    """What its claims have to show, and what one pays, in the token's smallest unit.

    Attributes:
        block: one that was there before this was read.
    """

    root: int
    amount: int
    scope: int
    block: int
    read_at: float


class OpenEpochs:
    """Reads them; for one thread."""

    def __init__(self, chain: Chain, deployment: Deployment) -> None:
        self._chain = chain
        self._deployment = deployment
        self._known: dict[int, OpenEpoch] = {}

    def read(self, number: int) -> OpenEpoch:
        """The state of an epoch, at most `FRESH` seconds old.

        Raises:
            EpochNotClaimable, ClaimsPaused: it cannot be claimed now.
        """
        known = self._known.get(number)
        if known is not None and monotonic() - known.read_at < FRESH:
            return known
        told = read_treasury(self._chain, self._deployment, [number])
        epoch = told.epochs[number]
        if told.is_paused:
            raise refusal("distributor: paused")
        if number > told.current or (number < told.current and told.now >= epoch.claims_end):
            raise refusal("distributor: epoch not claimable")
        if epoch.root == 0:
            raise refusal("distributor: epoch never opened")
        scope = compute_scope(self._deployment, number)
        opened = OpenEpoch(epoch.root, epoch.amount, scope, told.block, monotonic())
        self._known = {number: opened, **{n: e for n, e in self._known.items() if n != number}}
        while len(self._known) > self._deployment.late_epochs + 1:
            self._known.popitem()
        return opened
