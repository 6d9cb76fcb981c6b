"""Pays queued claims, in the largest batches for which none waits too long."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import ceil
from typing import Final

import structlog

from distribution.batch import (
    DEPTH,
    MAX_BATCH,
    ProvenClaim,
    draw_weights,
    encode_batch,
    fold,
)
from distribution.chain import Call, Chain
from distribution.claims import compute_message, compute_scope
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
from distribution.relay_claims import ClaimState, RelayedClaim, Waiting
from distribution.relay_settlement import Settlement
from distribution.relay_store import RelayStore
from distribution.sender import Sender
from distribution.sent import Handed, SentState
from identity_proofs.errors import BatchRefused
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, verify_batch

_log = structlog.get_logger("distribution.relayer")

CLAIMS, OPENING = "claims", "open-epoch"
MAX_UNDER_WAY: Final = 16  # transactions; geth keeps so many of an account for sure
# More than is taken with a usual token (docs/contracts.md); where it is not, the node estimates.
BATCH_GAS, CLAIM_GAS = 400_000, 125_000
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
        self._address = deployment.distributor
        self._sender = sender
        self._store = store
        self._settlement = Settlement(chain, deployment, sender, store)
        self._policy = BatchPolicy(min(policy.size, MAX_BATCH), policy.age)
        self._key = VerificationKey.load(DEPTH)
        self._pace = 0.0
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
        self._sender.advance()
        self._pace = self._chain.block_time()
        self._settlement.settle_all()
        self._store.forget(now() - KEPT_FOR)
        # 2. An epoch that nobody opened pays nobody.
        self._open_epoch()
        # 3. What waits, by epoch.
        waiting = self._store.waiting()
        self._fronts = {queue.epoch: queue.first for queue in waiting}
        return sum(map(self._send_due, waiting))

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

    def _open_epoch(self) -> None:
        if self._sender.journal.transactions([SentState.SIGNED], OPENING):
            return
        epoch = self._view("currentEpoch")
        if self._view("epochRoot", epoch) == 0 and self._chain.call(
            REGISTRY, self._deployment.registry, "root"
        ):
            call = self._chain.encode(DISTRIBUTOR, self._address, "openEpoch")
            self._sender.submit(OPENING, call)
            _log.info("epoch_opened", epoch=epoch)

    def _send_due(self, queue: Waiting) -> int:
        """Send batches while one is due; returns how many claims that were."""
        sent, left, after = 0, queue.claims, 0
        while left > 0 and self._room():
            together = self._next_batch(queue.epoch, after)
            if not together:
                break
            oldest = now() - together[0].received_at
            if self._policy.due_in(left, oldest) > 0 and not self._is_ending(queue.epoch):
                break
            sent += self._send(queue.epoch, together)
            left, after = left - len(together), together[-1].sequence
        return sent

    def _next_batch(self, epoch: int, after: int) -> list[RelayedClaim]:
        """The oldest claims that may go together; one that has to go alone does."""
        oldest = self._store.queued(epoch, after, self._policy.size)
        if oldest and oldest[0].alone:
            return oldest[:1]
        return list(takewhile(lambda claim: not claim.alone, oldest))

    def _send(self, epoch: int, claims: Sequence[RelayedClaim]) -> int:
        """Send one batch; what cannot be paid is told to its wallet, or waits."""
        claims = self._settlement.without_claimed(epoch, claims)
        if not claims:
            return 0
        if self._view("payableNow") < self._view("epochAmount", epoch):
            self._store.fail(claims, PoolTooPoor.code)
            return 0
        try:
            call = self._cheapest(epoch, claims)
            self._sender.submit(
                CLAIMS,
                call,
                lambda connection, identifier: self._store.assign(connection, claims, identifier),
                enough_gas=BATCH_GAS + CLAIM_GAS * len(claims),
            )
        except ClaimsPaused:
            return 0
        except (EpochNotClaimable, PoolTooPoor) as refused:
            self._store.fail(claims, refused.code)
            return 0
        except ContractRefused as refused:
            self._divide(epoch, claims, refused)
            return 0
        _log.info("batch_sent", epoch=epoch, claims=len(claims))
        return len(claims)

    def _divide(self, epoch: int, claims: Sequence[RelayedClaim], refused: ContractRefused) -> None:
        """Find what spoils a batch: a proof that holds no longer, or a claim that fails alone."""
        if isinstance(refused, ProofRefused):
            index = self._first_invalid(epoch, claims)
            if index is not None:
                self._store.fail([claims[index]], refused.code)
                return
        if len(claims) == 1:
            self._store.fail(claims, refused.code)
        else:
            self._store.requeue(claims, alone=True)

    def _first_invalid(self, epoch: int, claims: Sequence[RelayedClaim]) -> int | None:
        """A reorg may have given the epoch another root since they were taken."""
        root, scope = self._view("epochRoot", epoch), compute_scope(self._deployment, epoch)
        expected = []
        for claim in claims:
            one = claim.proven
            message = compute_message(one.recipient, one.fee, self._sender.address)
            a, b, c, d, e, f, g, h = one.points
            points = (a, b, c, d, e, f, g, h)
            proof = SemaphoreProof(DEPTH, root, one.nullifier, message, scope, points)
            expected.append(ExpectedProof(proof, (root,), scope, message, self._key))
        try:
            verify_batch(expected)
        except BatchRefused as named:
            return named.index
        return None

    def _cheapest(self, epoch: int, claims: Sequence[RelayedClaim]) -> Call:
        """A batch, or for one claim whatever takes less gas."""
        batch = self._batch([claim.proven for claim in claims], epoch)
        if len(claims) > 1:
            return batch
        one, relayer = claims[0].proven, self._sender.address
        terms = (epoch, one.recipient, one.fee, relayer)
        points = list(one.points)
        alone = self._chain.encode(
            DISTRIBUTOR, self._address, "claim", *terms, one.nullifier, points
        )
        return min(
            (alone, batch), key=lambda call: self._chain.estimate_gas(call, self._sender.address)
        )

    def _batch(self, proven: Sequence[ProvenClaim], epoch: int) -> Call:
        root, relayer = self._view("epochRoot", epoch), self._sender.address
        chain_id = self._deployment.chain_id
        weights = draw_weights(chain_id, self._address, epoch, root, relayer, proven)
        return Call(self._address, encode_batch(epoch, relayer, proven, fold(proven, weights)))

    def _is_ending(self, epoch: int) -> bool:
        """Whether the next look could be too late for it."""
        return self._chain.now() + 2 * self._policy.age >= self._view("claimsEnd", epoch)

    def _room(self) -> bool:
        return self._sender.journal.count(SentState.SIGNED) < MAX_UNDER_WAY

    def _view(self, function: str, *arguments: int) -> int:
        return int(self._chain.call(DISTRIBUTOR, self._address, function, *arguments))
