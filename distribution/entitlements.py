"""What a wallet may still claim and what it was paid, computed from everybody's events alone.

No node learns which nullifier or commitment is this wallet's: all payments are read, and looked
through here.
"""

from dataclasses import dataclass

from distribution.chain import Chain
from distribution.claims import compute_scope
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.registry import Progress, replay
from identity_proofs.identity import Identity


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One epoch whose claims have not ended.

    Attributes:
        amount: what a claim pays, the fee included, in the token's smallest unit; 0 where a share
            of the pool is paid and nobody has opened the epoch.
        is_open: somebody has called in it, so that it has a root.
        is_member: this wallet is in its group; false while it is not open.
        ends_at: when it can be claimed no longer, seconds since 1970.
    """

    epoch: int
    amount: int
    is_open: bool
    is_member: bool
    is_claimed: bool
    ends_at: int

    @property
    def is_claimable(self) -> bool:
        return self.is_member and not self.is_claimed


@dataclass(frozen=True, slots=True)
class Standing:
    """How this wallet stands.

    Attributes:
        is_member: in the newest group, and so in the next epoch's.
        entitlements: the current epoch first, then those before it that can still be claimed.
    """

    is_member: bool
    entitlements: tuple[Entitlement, ...]


@dataclass(frozen=True, slots=True)
class Payment:
    """A claim of this wallet that was paid.

    Attributes:
        amount: the fee included, in the token's smallest unit.
    """

    epoch: int
    recipient: str
    amount: int
    fee: int
    transaction_hash: str
    block: int


def read_standing(
    chain: Chain,
    deployment: Deployment,
    identity: Identity,
    *,
    progress: Progress | None = None,
) -> Standing:
    """What `identity` may claim now.

    Raises:
        GroupMismatch: the registry's events do not give the roots that they name.
    """

    def view(function: str, epoch: int) -> int:
        return int(chain.call(DISTRIBUTOR, deployment.distributor, function, epoch))

    current = int(chain.call(DISTRIBUTOR, deployment.distributor, "currentEpoch"))
    now, epochs = chain.now(), [current]
    while (before := epochs[-1] - 1) >= 0 and now < view("claimsEnd", before):
        epochs.append(before)
    roots = {epoch: view("epochRoot", epoch) for epoch in epochs}
    is_member, member_of = False, set()
    for group in replay(chain, deployment, progress=progress):
        is_member = identity.commitment in group
        if is_member:
            member_of.add(group.root)
    claimed = {payment.epoch for payment in read_payments(chain, deployment, identity, epochs)}
    return Standing(
        is_member,
        tuple(
            Entitlement(
                epoch=epoch,
                amount=view("epochAmount", epoch),
                is_open=roots[epoch] != 0,
                is_member=roots[epoch] in member_of,
                is_claimed=epoch in claimed,
                ends_at=view("claimsEnd", epoch),
            )
            for epoch in epochs
        ),
    )


def read_payments(
    chain: Chain, deployment: Deployment, identity: Identity, epochs: list[int] | None = None
) -> list[Payment]:
    """The claims of `identity` that were paid, oldest first.

    Args:
        epochs: those that are looked at; all when None.
    """
    where = None if epochs is None else {"epoch": epochs}
    logs = chain.logs(DISTRIBUTOR, deployment.distributor, "Claimed", deployment.block, where)
    seen = {log.arguments["epoch"] for log in logs}
    own = {epoch: identity.nullifier(compute_scope(deployment, epoch)) for epoch in seen}
    return [
        Payment(
            epoch=log.arguments["epoch"],
            recipient=log.arguments["recipient"],
            amount=log.arguments["amount"],
            fee=log.arguments["fee"],
            transaction_hash=log.transaction_hash,
            block=log.block,
        )
        for log in logs
        if log.arguments["nullifier"] == own[log.arguments["epoch"]]
    ]
