"""What the chain says of members and money, from its events and a few getters alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from distribution.chain import Chain
from distribution.claims import balance_of
from distribution.deployment import DISTRIBUTOR, NATIVE, REGISTRY, TOKEN, Deployment
from distribution.errors import ChainUnreachable

_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Update:
    """A `RootUpdated`."""

    previous_root: int
    root: int
    first_index: int
    commitments: tuple[int, ...]
    removals: tuple[int, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class Epoch:
    """An `EpochOpened`."""

    epoch: int
    root: int
    amount: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A `Claimed`; the fee is part of the amount."""

    epoch: int
    nullifier: int
    amount: int
    fee: int


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """The chain as of one block.

    Attributes:
        block: its number.
        time: its timestamp, Unix seconds.
        root, size: the registry's.
        updates, epochs, payments: in the chain's order.
        received: what came into the pool, in the token's smallest unit.
        migrated: what left it by a migration.
        pool: what is in it.
        exact: whether nothing can come into the pool without an event, as the chain's own coin can.
    """

    block: int
    time: int
    root: int
    size: int
    updates: tuple[Update, ...]
    epochs: tuple[Epoch, ...]
    payments: tuple[Payment, ...]
    received: int
    migrated: int
    pool: int
    exact: bool


def read_record(chain: Chain, deployment: Deployment) -> ChainRecord:
    """Read all of it, as of one block.

    Raises:
        ChainUnreachable: the chain does not answer, or moves faster than it can be read.
    """
    for _ in range(_TRIES):
        before = chain.block_number()
        record = _read(chain, deployment, before)
        if chain.block_number() == before:
            return record
    raise ChainUnreachable(
        "new blocks came faster than the chain could be read: use a nearer endpoint"
    )


def _read(chain: Chain, deployment: Deployment, block: int) -> ChainRecord:
    def logged(event: str) -> list[Mapping[str, Any]]:
        return chain.events(DISTRIBUTOR, deployment.distributor, event, deployment.block)

    updates = chain.events(REGISTRY, deployment.registry, "RootUpdated", deployment.block)
    return ChainRecord(
        block=block,
        time=chain.now(),
        root=chain.call(REGISTRY, deployment.registry, "root"),
        size=chain.call(REGISTRY, deployment.registry, "size"),
        updates=tuple(
            Update(
                previous_root=event["prevRoot"],
                root=event["newRoot"],
                first_index=event["firstIndex"],
                commitments=tuple(event["commitments"]),
                removals=tuple(event["removals"]),
                checkpoint=bytes(event["checkpoint"]),
            )
            for event in updates
        ),
        epochs=tuple(Epoch(e["epoch"], e["root"], e["amount"]) for e in logged("EpochOpened")),
        payments=tuple(
            Payment(e["epoch"], e["nullifier"], e["amount"], e["fee"]) for e in logged("Claimed")
        ),
        received=_received(chain, deployment, logged("Donated")),
        migrated=sum(event["amount"] for event in logged("Migrated")),
        pool=balance_of(chain, deployment, deployment.distributor),
        exact=deployment.token != NATIVE,
    )


def _received(chain: Chain, deployment: Deployment, donations: list[Mapping[str, Any]]) -> int:
    """What came into the pool: a token's transfers, minted ones too, or donations of the coin."""
    if deployment.token == NATIVE:
        return sum(event["amount"] for event in donations)
    into = {"receiver": deployment.distributor}
    transfers = chain.events(TOKEN, deployment.token, "Transfer", deployment.block, into)
    return sum(event["value"] for event in transfers)
