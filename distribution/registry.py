"""The membership group on the chain: rebuilt from its events, extended by the publisher."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from distribution.attestation import NO_CHECKPOINT, Attester, RootUpdate, Signature
from distribution.chain import Chain, Receipt
from distribution.deployment import REGISTRY, Deployment
from distribution.errors import (
    AlreadySigned,
    AttestationRefused,
    GroupMismatch,
    PublishConflict,
    QuorumMissing,
)
from identity_proofs.group import Group

Progress: TypeAlias = Callable[[str, int, int], None]
BATCH = 256  # commitments in one transaction; the contract takes up to 512


class Attests(Protocol):
    """Whoever is asked to sign: an `Attester` in this process, or one far away."""

    @property
    def address(self) -> str: ...

    def attest(self, update: RootUpdate, chain_id: int, registry: str) -> Signature:
        """Sign `update`, or raise `AttestationRefused`."""
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """What one call of `publish` did.

    Attributes:
        published: commitments newly posted.
        members: members of the group after it.
        root: the registry's root after it.
        gas_used: over all its transactions.
    """

    published: int
    members: int
    root: int
    gas_used: int


def read_group(
    chain: Chain,
    deployment: Deployment,
    *,
    at_root: int | None = None,
    progress: Progress | None = None,
) -> Group:
    """Rebuild the group from the chain's events alone.

    Args:
        at_root: stop when the group has this root, for the group of a past epoch;
            None reads to the newest.
        progress: see `replay`.

    Raises:
        GroupMismatch: an event's commitments do not give the root it names, or `at_root`
            never was a root.
    """
    group = Group()
    if group.root == at_root:
        return group
    for group in replay(chain, deployment, progress=progress):
        if group.root == at_root:
            return group
    if at_root is not None:
        raise GroupMismatch("no state of the registry has the epoch's root: ask another endpoint")
    return group


def replay(
    chain: Chain, deployment: Deployment, *, progress: Progress | None = None
) -> Iterator[Group]:
    """Rebuild the group update by update: one group, as it was after each of them.

    Args:
        progress: told what is done ("download" or "hash"), how much of it, and of how much.

    Raises:
        GroupMismatch: an event's commitments do not give the root it names.
    """
    report = progress or (lambda _what, _done, _total: None)
    updates = chain.events(
        REGISTRY,
        deployment.registry,
        "RootUpdated",
        deployment.block,
        progress=lambda done, total: report("download", done, total),
    )
    group = Group()
    for number, update in enumerate(updates, 1):
        group.insert_many(update["commitments"])
        for index in update["removals"]:
            group.remove(index)
        if group.root != update["newRoot"]:
            raise GroupMismatch(
                "the registry's events do not give the root that they name: "
                "do not claim, and tell the operators"
            )
        report("hash", number, len(updates))
        yield group


def publish(
    chain: Chain,
    deployment: Deployment,
    accepted: Sequence[int],
    attesters: Sequence[Attests],
    *,
    checkpoint: bytes = NO_CHECKPOINT,
) -> Publication:
    """Post the accepted commitments that the chain does not hold yet.

    The chain is the truth about what was posted, so that a call repeated after a crash posts
    only what is missing.

    Args:
        accepted: every accepted commitment, in the order of acceptance.
        attesters: whom to ask for signatures.
        checkpoint: digest of the decision log that accounts for `accepted`, 32 bytes.

    Raises:
        PublishConflict: the chain's members are not the first of `accepted`.
        QuorumMissing: too few attesters signed.
        ContractRefused: the registry refused the update.
    """
    group = read_group(chain, deployment)
    if list(accepted[: group.size]) != list(group.members):
        raise conflict()
    known, gas_used = group.size, 0
    attester_set = chain.call(REGISTRY, deployment.registry, "attesterSet")
    for first in range(known, len(accepted), BATCH):
        batch = tuple(accepted[first : first + BATCH])
        update = draft_update(group, batch, (), attester_set, checkpoint)
        signatures = collect_signatures(chain, deployment, update, attesters)
        gas_used += post(chain, deployment, update, signatures).gas_used
    return Publication(
        published=len(accepted) - known,
        members=group.size,
        root=group.root,
        gas_used=gas_used,
    )


def draft_update(
    group: Group,
    commitments: Sequence[int],
    removals: Sequence[int],
    attester_set: int,
    checkpoint: bytes,
) -> RootUpdate:
    """Change `group`, and tell the update that changes the registry alike.

    Args:
        removals: indices of members there before.
    """
    previous_root, first_index, removals = group.root, group.size, sorted(removals)
    group.insert_many(commitments)
    for index in removals:
        group.remove(index)
    return RootUpdate(
        attester_set=attester_set,
        previous_root=previous_root,
        root=group.root,
        first_index=first_index,
        commitments=tuple(commitments),
        removals=tuple(removals),
        checkpoint=checkpoint,
    )


def collect_signatures(
    chain: Chain, deployment: Deployment, update: RootUpdate, attesters: Sequence[Attests]
) -> list[Signature]:
    """Ask attesters of the registry's set until a quorum has signed.

    Returns:
        Signatures in the order that the registry asks for: ascending by signer.

    Raises:
        QuorumMissing: too few signed; the message says who refused, and why.
    """
    members = {int(a, 16) for a in chain.call(REGISTRY, deployment.registry, "attesters")}
    quorum = chain.call(REGISTRY, deployment.registry, "quorum")
    signed: dict[int, Signature] = {}
    refusals: list[str] = []
    before: list[RootUpdate] = []
    for attester in attesters:
        try:
            number = int(attester.address, 16)
            if number not in members:
                continue
            signed[number] = attester.attest(update, deployment.chain_id, deployment.registry)
        except AttestationRefused as refused:
            refusals.append(str(refused))
            if isinstance(refused, AlreadySigned):
                before.append(refused.update)
        if len(signed) == quorum:
            return [signature for _, signature in sorted(signed.items())]
    reasons = "; ".join(refusals) or "the other attesters' keys are not here"
    raise QuorumMissing(
        f"{len(signed)} of the {quorum} signatures that it takes: {reasons}", tuple(before)
    )


def post(
    chain: Chain, deployment: Deployment, update: RootUpdate, signatures: Sequence[Signature]
) -> Receipt:
    """Send a signed update; anybody may.

    Raises:
        ContractRefused: the registry refused it.
    """
    arguments = update_arguments(update, signatures)
    return chain.transact(REGISTRY, deployment.registry, "update", *arguments)


def update_arguments(update: RootUpdate, signatures: Sequence[Signature]) -> tuple[object, ...]:
    """What the registry's `update` takes."""
    return (
        update.previous_root,
        update.root,
        update.first_index,
        list(update.commitments),
        list(update.removals),
        update.checkpoint,
        list(signatures),
    )


def conflict() -> PublishConflict:
    """The registry and our records are of different services."""
    return PublishConflict(
        "the registry holds members that this service did not accept in this order: "
        "is the deployment file of another service?"
    )


def local_attesters(chain: Chain, deployment: Deployment, keys: Sequence[str]) -> list[Attester]:
    """Attesters whose keys are at hand, each with a tree of its own."""
    return [Attester(key, lambda: read_group(chain, deployment)) for key in keys]
