"""Pays queued claims, in the largest batches for which none waits too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from math import ceil, inf
from time import monotonic
from typing import Final

import structlog

from distribution.batch import MAX_BATCH
from distribution.chain import Chain
from distribution.deployment import DISTRIBUTOR, REGISTRY, Deployment
from distribution.errors import (
    ClaimsPaused,
    ContractRefused,
    EpochNotClaimable,
    PoolTooPoor,
    ProofRefused,
)
from distribution.journal import now
from distribution.publisher import BatchPolicy
from distribution.relay_batches import Batches
from distribution.relay_claims import ClaimState, RelayedClaim, Waiting
from distribution.relay_epochs import Epoch, Treasury, read_treasury
from distribution.relay_settlement import Settlement
from distribution.relay_store import RelayStore
from distribution.relay_trust import Trust
from distribution.sender import Sender, Untried
from distribution.sent import Handed, SentState

_log = structlog.get_logger("distribution.relayer")

CLAIMS, OPENING = "claims", "open-epoch"
MAX_UNDER_WAY: Final = 16  # transactions; geth keeps so many of an account for sure
MAX_UNTRIED: Final = 3  # of them, while batches go untried
FRESH: Final = 1.0  # seconds for which the treasury is taken from memory in a rush
TIDY: Final = 5.0  # seconds between
KEPT_FOR: Final = 30 * 24 * 3600  # seconds that a settled claim can be asked for


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a claim is, as its wallet is told.

    Attributes:
        state: queued, batched (signed with others), submitted (a node has it, or a block that is
            not final), finalised, or failed.
        code: why it failed.
        transaction: hash, once there is one.
        eta: seconds until it is finalised, about, by the pace of the latest blocks; 0 at an end.
    """

    state: str
    code: str | None
    transaction: str | None
    eta: int


class Relayer:
    """Batches, one step at a time; for one thread.

    Args:
        policy: when a batch is sent; its size at most 100.

    Attributes:
        is_pressed: whether more may be due as soon as the chain has taken in what was sent, which
            it does, or may do, quickly.
    """

    def __init__(
        self,
        chain: Chain,
        deployment: Deployment,
        sender: Sender,
        store: RelayStore,
        policy: BatchPolicy,
    ) -> None:
        self._chain = chain
        self._deployment = deployment
        self._sender = sender
        self._store = store
        self._settlement = Settlement(chain, deployment, sender, store)
        self._policy = BatchPolicy(min(policy.size, MAX_BATCH), policy.age)
        self._batches = Batches(chain, deployment, sender.address)
        self._trust = Trust()
        self._treasury: Treasury | None = None
        self._pace = 0.0
        self._forgot_at = -inf
        self.is_pressed = False
        self._fronts: dict[int, int] = {}  # by epoch, the lowest sequence number that waits

    def step(self) -> int:
        """Look at the chain, settle what is final, send what is due; harmless to repeat.

        Returns:
            How many claims were sent.

        Raises:
            ChainUnreachable: the chain does not answer; nothing is lost.
            SenderPoor: the relayer's account cannot pay.
        """
        # 1. What was sent: included, undone, final.
        self._trust.see(self._sender.advance())
        self._settlement.settle_all()
        self._keep_house()
        # 2. What waits, by epoch, and what the contract says of it.
        waiting = self._store.waiting()
        self._fronts = {queue.epoch: queue.first for queue in waiting}
        self.is_pressed = False
        treasury = self._look_at_treasury([queue.epoch for queue in waiting])
        # 3. An epoch that nobody opened pays nobody.
        self._open_epoch(treasury)
        if treasury.is_paused:
            return 0
        return sum(self._send_due(queue, treasury) for queue in waiting)

    def progress(self, claims: Sequence[RelayedClaim]) -> list[Progress]:
        """How far claims are; safe to call from any thread."""
        identifiers = {claim.transaction_id for claim in claims if claim.transaction_id is not None}
        sent = self._sender.journal.handed(identifiers)
        return [self._progress(claim, sent.get(claim.transaction_id or 0)) for claim in claims]

    def _progress(self, claim: RelayedClaim, sent: Handed | None) -> Progress:
        blocks = self._sender.confirmations
        if claim.state in {ClaimState.FINALISED, ClaimState.FAILED}:
            return Progress(claim.state.value, claim.code, sent.hash if sent else None, 0)
        if sent is None:
            before = claim.sequence - self._fronts.get(claim.epoch, claim.sequence)
            due = self._policy.due_in(before + 1, now() - claim.received_at)
            batches = ceil((before + 1) / self._policy.size)
            return Progress("queued", None, None, ceil(due + self._pace * (batches + blocks)))
        state = "batched" if sent.given_at is None else "submitted"
        return Progress(state, None, sent.hash, ceil(self._pace * blocks))

    def _keep_house(self) -> None:
        """What need not be done at every look."""
        if monotonic() - self._forgot_at < TIDY:
            return
        self._forgot_at = monotonic()
        self._pace = self._chain.block_time()
        self._store.forget(now() - KEPT_FOR)

    def _look_at_treasury(self, epochs: Sequence[int]) -> Treasury:
        """As it is now, or, while the node has batches that go untried, a second ago.

        It answers only between two blocks: to ask each time would be to take turns with it.
        """
        known = self._treasury
        if (
            known is not None
            and monotonic() - known.read_at < FRESH
            and known.epochs.keys() >= set(epochs)
            and self._sender.journal.count(SentState.SIGNED)
            and all(self._trust.holds(one, known.epochs[one].root) for one in epochs)
        ):
            return known
        self._treasury = read_treasury(self._chain, self._deployment, epochs)
        return self._treasury

    def _open_epoch(self, treasury: Treasury) -> None:
        current = treasury.current
        known = treasury.epochs.get(current)
        if known is not None and known.root:
            return
        if self._sender.journal.transactions([SentState.SIGNED], OPENING):
            return
        root = self._chain.call(DISTRIBUTOR, self._deployment.distributor, "epochRoot", current)
        if root == 0 and self._chain.call(REGISTRY, self._deployment.registry, "root"):
            call = self._chain.encode(DISTRIBUTOR, self._deployment.distributor, "openEpoch")
            self._sender.submit(OPENING, call)
            _log.info("epoch_opened", epoch=current)

    def _send_due(self, queue: Waiting, treasury: Treasury) -> int:
        """Send batches while one is due; returns how many claims that were."""
        epoch, payable = treasury.epochs[queue.epoch], treasury.payable
        is_ending = treasury.now + 2 * self._policy.age >= epoch.claims_end
        room = self._room(epoch)
        sent, left, after = 0, queue.claims, 0
        untried: list[list[RelayedClaim]] = []
        while left > 0 and room > 0:
            together = self._next_batch(epoch.number, after)
            if not together:
                break
            oldest = now() - together[0].received_at
            if self._policy.due_in(left, oldest) > 0 and not is_ending:
                break
            left, after = left - len(together), together[-1].sequence
            claims = self._settlement.without_claimed(epoch.number, together, treasury.block)
            if not claims:
                continue
            if treasury.payable < epoch.amount:
                self._store.fail(claims, PoolTooPoor.code)
                continue
            payable -= epoch.amount * len(claims)
            room -= 1
            if payable >= 0 and not is_ending and self._goes_untried(epoch, claims):
                untried.append(claims)
                continue
            tried = self._try(epoch, claims)
            sent += tried
            if tried > 1:
                break  # once it is paid, the next need not be tried
        return sent + self._send_untried(epoch, untried)

    def _next_batch(self, epoch: int, after: int) -> list[RelayedClaim]:
        """The oldest claims that may go together; one that has to go alone does."""
        oldest = self._store.queued(epoch, after, self._policy.size)
        if oldest and oldest[0].alone:
            return oldest[:1]
        return list(takewhile(lambda claim: not claim.alone, oldest))

    def _goes_untried(self, epoch: Epoch, claims: Sequence[RelayedClaim]) -> bool:
        """Not one claim, for which the node finds the cheaper way, nor one that is suspected."""
        may = len(claims) > 1 and not any(claim.alone or claim.suspect for claim in claims)
        return may and self._trust.holds(epoch.number, epoch.root)

    def _try(self, epoch: Epoch, claims: Sequence[RelayedClaim]) -> int:
        """Send one batch that would be paid now; another is told to its wallet, or waits."""
        gas = self._batches.gas(len(claims))
        try:
            call = self._batches.cheapest(epoch, claims)
            identifier = self._sender.submit(
                CLAIMS, call, partial(self._store.assign, claims), enough_gas=gas
            )
        except ClaimsPaused:
            return 0
        except (EpochNotClaimable, PoolTooPoor) as refused:
            self._store.fail(claims, refused.code)
            return 0
        except ContractRefused as refused:
            self._divide(epoch, claims, refused)
            return 0
        if len(claims) > 1:
            self._trust.give(identifier, epoch.number, epoch.root, gas)
        _log.info("batch_sent", epoch=epoch.number, claims=len(claims))
        return len(claims)

    def _send_untried(self, epoch: Epoch, batches: Sequence[Sequence[RelayedClaim]]) -> int:
        if not batches:
            return 0
        calls = [
            Untried(
                self._batches.batch(epoch, claims),
                self._batches.gas(len(claims)),
                partial(self._store.assign, claims),
            )
            for claims in batches
        ]
        identifiers = self._sender.submit_untried(CLAIMS, calls)
        for identifier, one, claims in zip(identifiers, calls, batches, strict=True):
            self._trust.give(identifier, epoch.number, epoch.root, one.gas)
            _log.info("batch_sent", epoch=epoch.number, claims=len(claims))
        return sum(map(len, batches))

    def _divide(
        self, epoch: Epoch, claims: Sequence[RelayedClaim], refused: ContractRefused
    ) -> None:
        """Find what spoils a batch: a proof that holds no longer, or a claim that fails alone."""
        if isinstance(refused, ProofRefused):
            index = self._batches.first_invalid(epoch, claims)
            if index is not None:
                self._store.fail([claims[index]], refused.code)
                return
        if len(claims) == 1:
            self._store.fail(claims, refused.code)
        else:
            self._store.requeue(claims, alone=True)

    def _room(self, epoch: Epoch) -> int:
        """How many transactions may be sent now.

        Of untried ones no more than keep the node busy while more are prepared: they would all be
        paid for in vain, should something have changed.
        """
        waiting = self._sender.journal.count(SentState.SIGNED)
        if self._trust.holds(epoch.number, epoch.root):
            self.is_pressed = self.is_pressed or waiting >= MAX_UNTRIED
            return min(2, MAX_UNTRIED - waiting)
        if self._trust.awaits_first():
            self.is_pressed = True
            return 0
        return MAX_UNDER_WAY - waiting
