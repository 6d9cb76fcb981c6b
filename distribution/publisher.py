"""Brings the registry to what enrolment accepted and removed: in batches, whatever crashes.

The enrolments themselves are the outbox: an acceptance is committed there or it is none. What was
posted is asked of the chain, never remembered, so that nothing is posted twice and what a reorg
took away is posted again. In between is one transaction, which the sender's journal keeps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Protocol

import structlog

from distribution.attestation import NO_CHECKPOINT, RootUpdate, Signature
from distribution.chain import Chain
from distribution.deployment import REGISTRY, Deployment
from distribution.errors import QuorumMissing
from distribution.journal import Journal, now
from distribution.registry import (
    Attests,
    collect_signatures,
    conflict,
    draft_update,
    read_group,
    update_arguments,
)
from distribution.sender import Sender
from distribution.sent import Sent, SentState
from identity_proofs.group import REMOVED, Group

_log = structlog.get_logger("distribution.publisher")

PURPOSE = "registry-update"
MAX_BATCH = 512  # the contract's bound, for additions and for removals


@dataclass(frozen=True, slots=True)
class Change:
    """A member's commitment, and when it was accepted or removed, seconds since 1970."""

    commitment: int
    at: int


class Source(Protocol):
    """What the group shall be, as enrolment has it."""

    def accepted(self, after: int) -> Sequence[Change]:
        """Every accepted commitment but the first `after`, in the order of acceptance."""
        ...

    def removals(self) -> Sequence[Change]:
        """Every commitment that was accepted once and is a member's no longer."""
        ...


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """When changes are posted: `size` of them wait, or one has waited `age` seconds."""

    size: int = 256
    age: int = 300

    def due_in(self, waiting: int, oldest: int) -> int:
        """Seconds until changes are posted, the oldest of which has waited `oldest` seconds."""
        return 0 if waiting >= self.size else max(0, self.age - oldest)


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """What is not published yet.

    Attributes:
        members: leaves that the registry has, removed ones included.
        accepted, removed: changes that wait.
        oldest: seconds that the oldest of them has waited; 0 where none waits.
        under_way: transactions that are not final.
        eta: seconds until all of it is final, by the pace of the latest blocks; 0 where nothing
            is pending, None where the only member leaves and waits for somebody to join.
    """

    members: int
    accepted: int
    removed: int
    oldest: int
    under_way: tuple[Sent, ...]
    eta: int | None


class Publisher:
    """Posts batches, one step at a time.

    Args:
        attesters: whom to ask for signatures.
        checkpoint: gives the digest of the decision log that accounts for what is posted.
    """

    def __init__(
        self,
        chain: Chain,
        deployment: Deployment,
        sender: Sender,
        source: Source,
        attesters: Sequence[Attests],
        policy: BatchPolicy,
        *,
        checkpoint: Callable[[], bytes] = lambda: NO_CHECKPOINT,
    ) -> None:
        self._chain = chain
        self._deployment = deployment
        self._sender = sender
        self._source = source
        self._attesters = attesters
        self._policy = policy
        self._checkpoint = checkpoint
        self._group = Group()  # with `_draft` applied, if there is one
        self._draft: RootUpdate | None = None
        self._checked = 0  # leaves of `_group` that are as accepted
        self.published = 0  # commitments, by this publisher

    @property
    def members(self) -> int:
        """Leaves of the group, removed ones included, once all that was sent is included."""
        return self._group.size

    def step(self, *, flush: bool = False) -> Sent | None:
        """Look at the chain, and post what is due; harmless to repeat, also after a crash.

        Args:
            flush: whatever waits is due.

        Returns:
            The transaction that was sent by this step, if one was.

        Raises:
            PublishConflict: the chain's members are not what was accepted.
            QuorumMissing: too few attesters signed; the next step asks them again.
            ContractRefused: the registry would refuse the update.
            ChainUnreachable: the chain does not answer.
        """
        # 1. One update at a time: the next starts from the root that this one leads to.
        self._sender.advance()
        if self._sender.journal.transactions([SentState.SIGNED], PURPOSE):
            return None
        # 2. The chain says what is published; a draft that it does not lead to is void.
        root = self._chain.call(REGISTRY, self._deployment.registry, "root")
        if self._draft is None or root != self._draft.previous_root:
            self._draft = None
            if root != self._group.root:
                self._group, self._checked = read_group(self._chain, self._deployment), 0
            self._draft = self._draft_next(flush=flush)
        if self._draft is None:
            return None
        # 3. Attesters come to the same root, and the update is signed, kept and sent.
        update = replace(
            self._draft, attester_set=self._attester_set(), checkpoint=self._checkpoint()
        )
        update, signatures = self._agree(update)
        arguments = update_arguments(update, signatures)
        call = self._chain.encode(REGISTRY, self._deployment.registry, "update", *arguments)
        sent = self._sender.journal.get(self._sender.submit(PURPOSE, call))
        self.published += len(update.commitments)
        added, removed = len(update.commitments), len(update.removals)
        _log.info("update_sent", transaction=sent.hash, added=added, removed=removed)
        return sent

    def _agree(self, update: RootUpdate) -> tuple[RootUpdate, list[Signature]]:
        """Have `update` signed, or what attesters signed in its place before this publisher began.

        Raises:
            QuorumMissing: neither got enough signatures.
        """

        def collect(update: RootUpdate) -> list[Signature]:
            return collect_signatures(self._chain, self._deployment, update, self._attesters)

        try:
            return update, collect(update)
        except QuorumMissing as missing:
            for earlier in missing.signed:
                if self._take_up(earlier):
                    again = replace(
                        earlier, attester_set=update.attester_set, checkpoint=update.checkpoint
                    )
                    return again, collect(again)
            raise

    def _take_up(self, earlier: RootUpdate) -> bool:
        """Make an earlier update the draft, if it is made of what enrolment says is next."""
        group = read_group(self._chain, self._deployment)
        gone = {change.commitment for change in self._source.removals()}
        following = [change.commitment for change in self._source.accepted(group.size)]
        members = group.members
        ours = earlier.commitments == tuple(following[: len(earlier.commitments)]) and all(
            leaf < len(members) and members[leaf] in gone for leaf in earlier.removals
        )
        if not ours or (group.root, group.size) != (earlier.previous_root, earlier.first_index):
            return False
        draft = draft_update(group, earlier.commitments, earlier.removals, 0, NO_CHECKPOINT)
        if draft.root != earlier.root:
            return False
        self._group, self._draft, self._checked = group, draft, 0
        return True

    def _draft_next(self, *, flush: bool) -> RootUpdate | None:
        """The next update, if one is due; the own tree is then ahead of the chain by it."""
        group = self._group
        # In this order: of whoever replaced a wallet by what is accepted here, the removal is seen.
        accepted, removals = self._source.accepted(group.size), self._source.removals()
        self._check_order(removals)
        leaving = [change for change in removals if change.commitment in group]
        waiting = [*accepted, *leaving]
        if not waiting:
            return None
        oldest = now() - min(change.at for change in waiting)
        if not flush and self._policy.due_in(len(waiting), oldest) > 0:
            return None
        size = min(self._policy.size, MAX_BATCH)
        joining = _joining(accepted, removals, size) if len(leaving) <= size else []
        if _is_stuck(group.size, joining, len(leaving)):
            return None
        self._checked += len(joining)
        return draft_update(
            group,
            [change.commitment for change in joining],
            [group.index_of(change.commitment) for change in leaving[:size]],
            attester_set=0,  # both are asked for when it is signed
            checkpoint=NO_CHECKPOINT,
        )

    def _attester_set(self) -> int:
        return int(self._chain.call(REGISTRY, self._deployment.registry, "attesterSet"))

    def _check_order(self, removals: Sequence[Change]) -> None:
        """Refuse to extend a group that is not ours."""
        if self._checked == self._group.size:
            return
        leaves = self._group.members[self._checked :]
        accepted = self._source.accepted(self._checked)[: len(leaves)]
        gone = {change.commitment for change in removals}
        expected = [change.commitment for change in accepted]
        if len(expected) != len(leaves) or any(
            leaf != known and not (leaf == REMOVED and known in gone)
            for leaf, known in zip(leaves, expected, strict=True)
        ):
            raise conflict()
        self._checked = self._group.size


def _joining(accepted: Sequence[Change], removals: Sequence[Change], size: int) -> list[Change]:
    """Who may join in one update, beside all who leave: never two wallets of one person.

    A wallet that left before it was published has to join first, to keep its place; whoever came
    after it, and may have taken its place, waits for the update in which it leaves.
    """
    gone = {change.commitment for change in removals}
    first = list(accepted[:size])
    for number, change in enumerate(first, 1):
        if change.commitment in gone:
            return first[:number]
    return first


def _is_stuck(members: int, joining: Sequence[Change], leaving: int) -> bool:
    """Whether a removal waits for somebody to join.

    An only leaf that is empty has the root 0, which no registry takes.
    """
    return members == 1 and leaving > 0 and not joining


def read_status(
    chain: Chain,
    deployment: Deployment,
    source: Source,
    journal: Journal,
    policy: BatchPolicy,
    confirmations: int,
) -> PublisherStatus:
    """What is pending, read beside a publisher that runs."""
    members = chain.call(REGISTRY, deployment.registry, "size")
    under_way = journal.transactions(purpose=PURPOSE)
    accepted, removals = source.accepted(members), source.removals()
    posted = _posted_removals(chain, deployment) if removals else 0
    waiting = len(accepted) + max(0, len(removals) - posted)
    ages = [now() - change.at for change in (*accepted, *removals[posted:])]
    oldest = max(ages, default=0)
    seconds, pace = 0.0, chain.block_time()
    if under_way:
        seconds = pace * confirmations
    if waiting:
        blocks = ceil(waiting / policy.size) + confirmations - 1
        seconds = max(seconds, policy.due_in(waiting, oldest) + pace * blocks)
    return PublisherStatus(
        members=members,
        accepted=len(accepted),
        removed=waiting - len(accepted),
        oldest=oldest if waiting else 0,
        under_way=tuple(under_way),
        eta=None if _is_stuck(members, accepted, waiting) else ceil(seconds),
    )


def _posted_removals(chain: Chain, deployment: Deployment) -> int:
    updates = chain.events(REGISTRY, deployment.registry, "RootUpdated", deployment.block)
    return sum(len(update["removals"]) for update in updates)
