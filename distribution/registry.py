"""The membership group on the chain: rebuilt from its events, extended by the publisher."""

from collections.abc import Sequence
from dataclasses import dataclass

from distribution.chain import Chain, Receipt
from distribution.deployment import REGISTRY, Deployment
from distribution.errors import GroupMismatch, PublishConflict
from identity_proofs.group import Group

BATCH = 256  # commitments in one transaction; the contract takes up to 512


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


def read_group(chain: Chain, deployment: Deployment, *, at_root: int | None = None) -> Group:
    """Rebuild the group from the chain's events alone.

    Args:
        at_root: stop when the group has this root, for the group of a past epoch;
            None reads to the newest.

    Raises:
        GroupMismatch: an event's commitments do not give the root it names, or `at_root`
            never was a root.
    """
    group = Group()
    updates = chain.events(REGISTRY, deployment.registry, "RootUpdated", deployment.block)
    for update in updates:
        if group.root == at_root:
            return group
        group.insert_many(update["commitments"])
        for index in update["removals"]:
            group.remove(index)
        if group.root != update["newRoot"]:
            raise GroupMismatch(
                "the registry's events do not give the root that they name: "
                "do not claim, and tell the operators"
            )
    if at_root is not None and group.root != at_root:
        raise GroupMismatch("no state of the registry has the epoch's root: ask another endpoint")
    return group


def publish(chain: Chain, deployment: Deployment, accepted: Sequence[int]) -> Publication:
    """Post the accepted commitments that the chain does not hold yet.

    The chain is the truth about what was posted, so that a call repeated after a crash posts
    only what is missing.

    Args:
        accepted: every accepted commitment, in the order of acceptance.

    Raises:
        PublishConflict: the chain's members are not the first of `accepted`.
        ContractRefused: the registry refused the update.
    """
    group = read_group(chain, deployment)
    if list(accepted[: group.size]) != list(group.members):
        raise PublishConflict(
            "the registry holds members that this service did not accept in this order: "
            "is the deployment file of another service?"
        )
    known, gas_used = group.size, 0
    for first in range(known, len(accepted), BATCH):
        gas_used += _post(chain, deployment, group, accepted[first : first + BATCH]).gas_used
    return Publication(
        published=len(accepted) - known,
        members=group.size,
        root=group.root,
        gas_used=gas_used,
    )


def _post(chain: Chain, deployment: Deployment, group: Group, batch: Sequence[int]) -> Receipt:
    previous_root, first_index = group.root, group.size
    group.insert_many(batch)
    return chain.transact(
        REGISTRY,
        deployment.registry,
        "update",
        previous_root,
        group.root,
        first_index,
        list(batch),
        [],
    )
