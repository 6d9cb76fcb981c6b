"""A claim that a relayer took, as a value and as a row."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from struct import Struct
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from distribution.batch import ProvenClaim
from distribution.errors import TransferFailed
from distribution.hashing import words
from distribution.journal import now

_POINTS = Struct("32s" * 8)


class RelayBase(DeclarativeBase):
    """The relayer's own tables, beside those of its sender."""


class ClaimState(StrEnum):
    """What this table says of a claim; the sender's journal says the rest.

    QUEUED: waits for a batch. SENT: in the transaction that it names. FINALISED: paid. FAILED: not
    paid and given up, for the reason in `code`; the same claim may be sent again.
    """

    QUEUED = "queued"
    SENT = "sent"
    FINALISED = "finalised"
    FAILED = "failed"


class VersionRow(RelayBase):
    """Which version of the tables this is."""

    __tablename__ = "relay_version"

    version: Mapped[int] = mapped_column(Integer, primary_key=True)


class ClaimRow(RelayBase):
    """See `RelayedClaim`."""

    __tablename__ = "relayed_claims"
    __table_args__ = (
        UniqueConstraint("deployment", "nullifier"),
        # What waits, by epoch and in its order, without a look at the claims themselves.
        Index("relayed_claims_queue", "deployment", "state", "epoch", "sequence", "received_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, index=True)
    deployment: Mapped[str] = mapped_column(String(64))
    nullifier: Mapped[str] = mapped_column(String(64))  # hex
    epoch: Mapped[int] = mapped_column(BigInteger)
    recipient: Mapped[str] = mapped_column(String(42))
    fee: Mapped[str] = mapped_column(String(78))
    points: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(20))
    block: Mapped[int] = mapped_column(BigInteger)
    suspect: Mapped[bool] = mapped_column()
    alone: Mapped[bool] = mapped_column()
    code: Mapped[str | None] = mapped_column(String(60))
    transaction_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    received_at: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class RelayedClaim:
    """One claim.

    Attributes:
        id: random, for its status address.
        sequence: its place in the order of arrival.
        block: one after which its nullifier was not spent.
        suspect: a batch with it is tried before it is sent, because one with it reverted.
        alone: it goes into no batch any more, because one with it was refused.
        code: why it failed.
        transaction_id: in the sender's journal.
    """

    id: str
    sequence: int
    epoch: int
    proven: ProvenClaim
    state: ClaimState
    block: int
    suspect: bool
    alone: bool
    code: str | None
    transaction_id: int | None
    received_at: int

    def has_terms(self, epoch: int, recipient: str, fee: int) -> bool:
        return (self.epoch, self.proven.recipient, self.proven.fee) == (epoch, recipient, fee)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The claims of one epoch that wait.

    Attributes:
        since: when the oldest came, seconds since 1970.
        first: the lowest of their sequence numbers.
    """

    epoch: int
    claims: int
    since: int
    first: int


def new_claim(
    before: RelayedClaim | None, sequence: int, epoch: int, proven: ProvenClaim, block: int
) -> RelayedClaim:
    """A claim that waits from now on.

    One whose transfer failed before goes alone: what it is tried with tells that for nothing,
    where a batch would pay gas for it again and again.
    """
    return RelayedClaim(
        id=secrets.token_hex(16) if before is None else before.id,
        sequence=sequence,
        epoch=epoch,
        proven=proven,
        state=ClaimState.QUEUED,
        block=block,
        suspect=before is not None,
        alone=before is not None and before.code == TransferFailed.code,
        code=None,
        transaction_id=None,
        received_at=now(),
    )


def row_of(claim: RelayedClaim, deployment: str) -> dict[str, Any]:
    """The row of a claim that is not settled."""
    return {
        "id": claim.id,
        "sequence": claim.sequence,
        "deployment": deployment,
        "nullifier": hex_of(claim.proven.nullifier),
        "epoch": claim.epoch,
        "recipient": claim.proven.recipient,
        "fee": str(claim.proven.fee),
        "points": words(*claim.proven.points),
        "state": claim.state.value,
        "block": claim.block,
        "suspect": claim.suspect,
        "alone": claim.alone,
        "received_at": claim.received_at,
    }


def claim_of(row: Any) -> RelayedClaim:
    """The claim of a row."""
    points = tuple(map(int.from_bytes, _POINTS.unpack(row.points)))
    return RelayedClaim(
        id=row.id,
        sequence=row.sequence,
        epoch=row.epoch,
        proven=ProvenClaim(row.recipient, int(row.fee), int(row.nullifier, 16), points),
        state=ClaimState(row.state),
        block=row.block,
        suspect=row.suspect,
        alone=row.alone,
        code=row.code,
        transaction_id=row.transaction_id,
        received_at=row.received_at,
    )


def hex_of(nullifier: int) -> str:
    """A nullifier as the table has it."""
    return f"{nullifier:064x}"
