"""What became of claims that were sent, read from the chain's events once these are final."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from distribution.chain import Chain, Log
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.errors import (
    AlreadyClaimed,
    ChainUnreachable,
    ClaimsPaused,
    DistributionError,
    EpochNotClaimable,
    PoolTooPoor,
    ProofRefused,
    TransferFailed,
)
from distribution.relay_claims import RelayedClaim
from distribution.relay_store import RelayStore
from distribution.sender import Sender
from distribution.sent import Sent, SentState

_log = structlog.get_logger("distribution.relayer")

# Codes for the contract's reasons to skip an entry of a batch.
_SKIPPED: Final = {
    "already claimed": AlreadyClaimed.code,
    "pool too low": PoolTooPoor.code,
    "transfer failed": TransferFailed.code,
}
NEAR: Final = 16  # blocks


@dataclass(frozen=True, slots=True)
class _Told:
    """Events by the hash of their transaction: nullifiers paid, and skipped for a reason."""

    paid: Mapping[str, set[int]]
    skipped: Mapping[str, dict[int, str]]


class Settlement:
    """Finalises, fails and reopens claims; for one thread."""

    def __init__(
        self, chain: Chain, deployment: Deployment, sender: Sender, store: RelayStore
    ) -> None:
        self._chain = chain
        self._deployment = deployment
        self._sender = sender
        self._store = store

    def settle_all(self) -> None:
        """Settle the claims of every transaction that is final, reopen those that a reorg undid."""
        for identifier in self._store.to_reopen():
            self._store.reopen(identifier)
        settled = [self._sender.journal.get(one) for one in self._store.to_settle()]
        for neighbours in _neighbours(settled):
            told = self._told(neighbours)
            for sent in neighbours:
                self._settle(sent, told)

    def without_claimed(
        self, epoch: int, claims: Sequence[RelayedClaim], head: int
    ) -> list[RelayedClaim]:
        """Leave out what was paid since it was taken: sending it would be gas for nothing.

        Those whose payment is final are settled; the others stay, since a reorg may undo it.
        """
        # None was paid when it was taken; a reorg may have moved a payment below that block.
        since = min(head, *(claim.block for claim in claims)) - self._sender.confirmations
        paid = self._paid(epoch, [claim.proven.nullifier for claim in claims], since, head)
        if paid:
            final = head - self._sender.confirmations + 1
            for claim in claims:
                payment = paid.get(claim.proven.nullifier)
                if payment is not None and payment.block <= final:
                    self._close(claim, payment)
        return [claim for claim in claims if claim.proven.nullifier not in paid]

    def _settle(self, sent: Sent, told: _Told) -> None:
        claims = self._store.in_transaction(sent.id)
        if sent.state is SentState.DISPLACED:
            self._store.requeue(claims)
            return
        if not sent.succeeded:
            self._store.requeue(claims, suspect=True, alone=not self._may_go_together(sent))
            return
        paid, skipped = told.paid[sent.hash], told.skipped[sent.hash]
        self._store.finalise([claim for claim in claims if claim.proven.nullifier in paid])
        for claim in claims:
            if claim.proven.nullifier in skipped:
                self._skip(claim, skipped[claim.proven.nullifier])
        _log.info("batch_final", transaction=sent.hash, paid=len(paid), skipped=len(skipped))

    def _skip(self, claim: RelayedClaim, reason: str) -> None:
        nullifier = claim.proven.nullifier
        if (payment := self._paid(claim.epoch, [nullifier]).get(nullifier)) is not None:
            self._close(claim, payment)
        else:
            self._store.fail([claim], _SKIPPED[reason])

    def _may_go_together(self, sent: Sent) -> bool:
        """Whether a batch reverted for what the next trial tells, and not for one of its claims."""
        try:
            self._chain.simulate(sent.call, self._sender.address, sent.gas, sent.block)
        except ChainUnreachable:
            raise
        except (ClaimsPaused, EpochNotClaimable, ProofRefused):
            return True
        except DistributionError:  # also that of a node which has forgotten the block's state
            return False
        return False

    def _close(self, claim: RelayedClaim, payment: Log) -> None:
        """Somebody else sent this nullifier: perhaps this very claim, and all is well."""
        if payment.arguments["recipient"] == claim.proven.recipient:
            self._store.finalise([claim])
        else:
            self._store.fail([claim], AlreadyClaimed.code)

    def _paid(
        self, epoch: int, nullifiers: Sequence[int], since: int = 0, until: int | None = None
    ) -> dict[int, Log]:
        """The payments for those of these nullifiers that were spent."""
        payments = self._chain.logs(
            DISTRIBUTOR,
            self._deployment.distributor,
            "Claimed",
            max(since, self._deployment.block),
            {"epoch": epoch, "nullifier": list(nullifiers)},
            to_block=until,
        )
        return {payment.arguments["nullifier"]: payment for payment in payments}

    def _told(self, sent: Sequence[Sent]) -> _Told:
        """The events of transactions in neighbouring blocks."""
        blocks = [one.block for one in sent if one.block is not None]
        told = _Told(defaultdict(set), defaultdict(dict))
        if not blocks:
            return told
        found = {
            event: self._chain.logs(
                DISTRIBUTOR,
                self._deployment.distributor,
                event,
                min(blocks),
                to_block=max(blocks),
            )
            for event in ("Claimed", "Skipped")
        }
        for log in found["Claimed"]:
            told.paid[log.transaction_hash].add(log.arguments["nullifier"])
        for log in found["Skipped"]:
            reason = log.arguments["reason"]
            told.skipped[log.transaction_hash][log.arguments["nullifier"]] = reason
        return told


def _neighbours(sent: Sequence[Sent]) -> list[list[Sent]]:
    """Those whose blocks are near each other together, so that no others' events are read much."""
    groups: list[list[Sent]] = []
    for one in sorted(sent, key=lambda one: one.block or 0):
        if groups and (one.block or 0) - (groups[-1][0].block or 0) < NEAR:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups
