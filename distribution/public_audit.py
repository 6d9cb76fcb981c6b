"""Checks a log, a chain and each other, from public data alone.

Findings, in the order in which they are looked for; the first one ends the audit.

    log_signature_wrong         the log's checkpoint, or one that is held, is not signed by its key
    log_root_wrong              the entries do not give the checkpoint's root
    log_entry_wrong             a leaf is no entry
    opening_missing             an acceptance or removal does not say of which commitment
    opening_wrong               ... or says one that its entry does not hold
    admitted_twice              two entries accept one commitment
    removed_twice               two entries remove one commitment
    removed_unknown             an entry removes a commitment that none accepted
    log_truncated               a held checkpoint counts more entries than there are
    log_forked                  a held checkpoint is of other entries
    group_root_wrong            the members posted do not give the registry's root
    member_count_wrong          the registry counts other members than were posted
    member_twice                a commitment was posted twice
    member_without_decision     a member on the chain has no accepting entry
    removal_without_decision    a member was removed on the chain without an entry
    removal_late                somebody joined while a member that had to leave before was still in
    checkpoint_unknown          a root names a checkpoint that this log never had
    decision_after_root         a root names a checkpoint that does not hold its decisions yet
    acceptance_never_arrived    an accepted commitment is not on the chain, past the grace
    removal_never_arrived       a removed commitment is still a member, past the grace
    epoch_root_wrong            an epoch froze a root that the registry never had
    claim_without_epoch         a claim was paid for an epoch that nobody opened
    claim_amount_wrong          a claim was paid another amount than its epoch's
    claim_paid_twice            a nullifier was paid twice in one epoch
    claims_exceed_members       more claims were paid than the epoch had members
    pool_wrong                  the pool is not what came in less what was paid
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from distribution.attestation import NO_CHECKPOINT
from distribution.posted_members import Finding, PostedMembers
from distribution.record import ChainRecord
from transparency.checkpoint import Checkpoint, open_checkpoint
from transparency.errors import (
    CheckpointInvalid,
    EntryInvalid,
    LogInconsistent,
    NoteInvalid,
)
from transparency.mirror import LogCopy, Mirror
from transparency.note import VerifierKey

GRACE: Final = 48 * 3600  # seconds that a decision may take to the chain


@dataclass(frozen=True, slots=True)
class Check:
    """One question that was answered well.

    Attributes:
        name: what was asked.
        detail: what was counted.
    """

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the audit came to.

    Attributes:
        checks: what holds, in the order of the audit.
        finding: the code of the first thing that does not, or None.
        explanation: of the finding.
    """

    checks: tuple[Check, ...]
    finding: str | None = None
    explanation: str = ""


def audit(
    log: LogCopy,
    key: VerifierKey,
    record: ChainRecord,
    *,
    held: Sequence[str] = (),
    grace: int = GRACE,
) -> Verdict:
    """Check everything, up to the first thing that does not hold.

    Args:
        log: whole, from its first entry.
        key: the log's, from a source other than the log.
        record: what the chain says, read before the log.
        held: checkpoints that somebody kept, as signed notes.
        grace: seconds after its hour in which a decision may be under way; the clock is that of
            the chain's newest block.
    """
    mirror, group = Mirror(key), PostedMembers()
    steps: tuple[Callable[[], Check], ...] = (
        lambda: _check_log(mirror, log),
        lambda: _check_held(mirror, key, held),
        lambda: _check_group(group, record),
        lambda: _check_members(mirror, group),
        lambda: _check_checkpoints(mirror, group, record),
        lambda: _check_order(mirror, group, record),
        lambda: _check_arrivals(mirror, group, record.time - grace),
        lambda: _check_claims(group, record),
        lambda: _check_pool(record),
    )
    checks: list[Check] = []
    for step in steps:
        try:
            checks.append(step())
        except Finding as found:
            return Verdict(tuple(checks), found.code, str(found))
        except LogInconsistent as found:
            return Verdict(tuple(checks), found.finding, str(found))
    return Verdict(tuple(checks))


def _check_log(mirror: Mirror, log: LogCopy) -> Check:
    try:
        mirror.extend(log)
    except (NoteInvalid, CheckpointInvalid) as wrong:
        raise Finding("log_signature_wrong", str(wrong)) from wrong
    except EntryInvalid as wrong:
        raise Finding("log_entry_wrong", str(wrong)) from wrong
    return Check(
        "the log's entries give its signed checkpoint",
        f"{mirror.size} entries, {len(mirror.ledger.admitted)} acceptances, "
        f"{len(mirror.ledger.removed)} removals",
    )


def _check_group(members: PostedMembers, record: ChainRecord) -> Check:
    members.follow(record)
    return Check(
        "the group's root is that of the members posted",
        f"{members.count} members, {len(members.removed)} removed, root {members.root:#x}",
    )


def _check_held(mirror: Mirror, key: VerifierKey, held: Sequence[str]) -> Check:
    for note in held:
        try:
            checkpoint = open_checkpoint(note, key).checkpoint
        except (NoteInvalid, CheckpointInvalid) as wrong:
            raise Finding("log_signature_wrong", f"a held checkpoint: {wrong}") from wrong
        mirror.require_consistent(checkpoint)
    return Check("the log continues the checkpoints that are held", f"{len(held)} held")


def _check_members(mirror: Mirror, members: PostedMembers) -> Check:
    ledger = mirror.ledger
    for commitment, leaf in members.posted.items():
        if commitment not in ledger.admitted:
            raise Finding("member_without_decision", f"leaf {leaf} has no accepting entry")
    for commitment in members.removed:
        if commitment not in ledger.removed:
            leaf = members.posted[commitment]
            raise Finding("removal_without_decision", f"leaf {leaf} was removed without an entry")
    return Check(
        "each member has one accepting entry, each removal one entry",
        f"{len(members.posted)} members ever, {len(members.removed)} removals",
    )


def _check_checkpoints(mirror: Mirror, members: PostedMembers, record: ChainRecord) -> Check:
    """Each root was posted with a checkpoint that held the decisions behind it."""
    naming = {n: u for n, u in enumerate(record.updates) if u.checkpoint != NO_CHECKPOINT}
    sizes = _sizes(mirror, {update.checkpoint for update in naming.values()})
    ledger = mirror.ledger
    decided = {number: [ledger.admitted[c] for c in u.commitments] for number, u in naming.items()}
    for commitment, number in members.removed.items():
        if number in decided:
            decided[number].append(ledger.removed[commitment])
    for number, update in naming.items():
        size = sizes.get(update.checkpoint)
        if size is None:
            raise Finding(
                "checkpoint_unknown", f"update {number} names a checkpoint that this log never had"
            )
        if max(decided[number], default=-1) >= size:
            raise Finding(
                "decision_after_root",
                f"update {number} names {size} entries and changes what was decided after them",
            )
    without = len(record.updates) - len(naming)
    return Check(
        "roots name checkpoints that hold their decisions",
        f"{len(naming)} name one, {without} name none",
    )


def _sizes(mirror: Mirror, digests: Iterable[bytes]) -> dict[bytes, int]:
    missing, found, size = set(digests), {}, mirror.size
    while missing and size >= 0:
        digest = Checkpoint(mirror.key.name, size, mirror.tree.root(size)).digest
        if digest in missing:
            found[digest] = size
            missing.discard(digest)
        size -= 1
    return found


def _check_order(mirror: Mirror, members: PostedMembers, record: ChainRecord) -> Check:
    """Nobody joined while a member was in that had to leave before: no person has two wallets."""
    ledger, newest, latest = mirror.ledger, -1, [-1]
    for update in record.updates:
        newest = max([newest, *(ledger.admitted[member] for member in update.commitments)])
        latest.append(newest)
    for commitment, index in ledger.removed.items():
        if commitment in members.posted:
            left = members.removed.get(commitment, len(record.updates))
            if left > members.joined[commitment] and latest[left] > index:
                leaf = members.posted[commitment]
                raise Finding("removal_late", f"leaf {leaf} stayed behind entry {index}")
    return Check("members left before others came in their place", f"{len(ledger.removed)} left")


def _check_arrivals(mirror: Mirror, members: PostedMembers, deadline: int) -> Check:
    """What was decided before `deadline` is on the chain."""
    ledger, removed = mirror.ledger, set(members.removed)
    waiting = [
        (index, "acceptance_never_arrived", "accepts who is not on the chain")
        for commitment, index in ledger.admitted.items()
        if commitment not in members.posted and commitment not in ledger.removed
    ] + [
        (index, "removal_never_arrived", "removes who is still a member")
        for commitment, index in ledger.removed.items()
        if commitment in members.posted and commitment not in removed
    ]
    for index, code, what in sorted(waiting):
        if ledger.hours[index] < deadline:
            raise Finding(code, f"entry {index} {what}, past the grace")
    return Check("decisions have arrived on the chain", f"{len(waiting)} under way")


def _check_claims(members: PostedMembers, record: ChainRecord) -> Check:
    epochs = {epoch.epoch: epoch for epoch in record.epochs}
    for epoch in record.epochs:
        if epoch.root not in members.at_root:
            raise Finding("epoch_root_wrong", f"epoch {epoch.epoch} froze a root never posted")
    paid = set[tuple[int, int]]()
    for payment in record.payments:
        if payment.epoch not in epochs:
            raise Finding("claim_without_epoch", f"epoch {payment.epoch} was never opened")
        if payment.amount != epochs[payment.epoch].amount:
            raise Finding(
                "claim_amount_wrong", f"epoch {payment.epoch} pays {epochs[payment.epoch].amount}"
            )
        if (payment.epoch, payment.nullifier) in paid:
            raise Finding("claim_paid_twice", f"in epoch {payment.epoch}")
        paid.add((payment.epoch, payment.nullifier))
    claims = Counter(payment.epoch for payment in record.payments)
    for number, count in sorted(claims.items()):
        if count > members.at_root[epochs[number].root]:
            raise Finding("claims_exceed_members", f"{count} claims in epoch {number}")
    return Check(
        "claims are those of opened epochs, each member's at most once an epoch",
        f"{len(record.payments)} claims in {len(record.epochs)} epochs",
    )


def _check_pool(record: ChainRecord) -> Check:
    paid = sum(payment.amount for payment in record.payments)
    expected = record.received - paid - record.migrated
    if record.pool < expected or (record.exact and record.pool != expected):
        raise Finding(
            "pool_wrong",
            f"{record.received} came in, {paid} was paid and {record.migrated} migrated, but the "
            f"pool is {record.pool}",
        )
    return Check(
        "the pool is what came in less what was paid", f"{paid} paid, {record.pool} in the pool"
    )
