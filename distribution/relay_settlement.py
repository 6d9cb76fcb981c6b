"""What became of claims that were sent, read from the chain's events once these are final."""

from collections.abc import Sequence
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
        for identifier in self._store.to_settle():
            self._settle(self._sender.journal.get(identifier))

    def without_claimed(self, epoch: int, claims: Sequence[RelayedClaim]) -> list[RelayedClaim]:
        """Leave out what was paid since it was taken: sending it would be gas for nothing.

        Those whose payment is final are settled; the others stay, since a reorg may undo it.
        """
        # None was paid when it was taken; a reorg may have moved a payment below that block.
        since = min(claim.block for claim in claims) - self._sender.confirmations
        paid = self._paid(epoch, [claim.proven.nullifier for claim in claims], since)
        if paid:
            final = self._chain.block_number() - self._sender.confirmations + 1
            for claim in claims:
                payment = paid.get(claim.proven.nullifier)
                if payment is not None and payment.block <= final:
                    self._close(claim, payment)
        return [claim for claim in claims if claim.proven.nullifier not in paid]

    def _settle(self, sent: Sent) -> None:
        claims = self._store.in_transaction(sent.id)
        if sent.state is SentState.DISPLACED:
            self._store.requeue(claims)
            return
        if not sent.succeeded:
            self._store.requeue(claims, suspect=True, alone=not self._may_go_together(sent))
            return
        paid, skipped = self._logged("Claimed", sent), self._logged("Skipped", sent)
        self._store.finalise([claim for claim in claims if claim.proven.nullifier in paid])
        for claim in claims:
            if claim.proven.nullifier in skipped:
                self._skip(claim, skipped[claim.proven.nullifier]["reason"])
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

    def _paid(self, epoch: int, nullifiers: Sequence[int], since: int = 0) -> dict[int, Log]:
        """The payments for those of these nullifiers that were spent."""
        payments = self._chain.logs(
            DISTRIBUTOR,
            self._deployment.distributor,
            "Claimed",
            max(since, self._deployment.block),
            {"epoch": epoch, "nullifier": list(nullifiers)},
        )
        return {payment.arguments["nullifier"]: payment for payment in payments}

    def _logged(self, event: str, sent: Sent) -> dict[int, dict[str, str]]:
        found = self._chain.events(
            DISTRIBUTOR,
            self._deployment.distributor,
            event,
            sent.block or 0,
            to_block=sent.block,
            transaction=sent.hash,
        )
        return {one["nullifier"]: dict(one) for one in found}
