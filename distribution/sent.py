"""A signed transaction, as a value and as rows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from distribution.chain import Call
from distribution.database import Base

_Id = BigInteger().with_variant(Integer, "sqlite")  # what SQLite numbers by itself


class SentState(StrEnum):
    """How far a transaction is.

    SIGNED: kept here, and given to the node or about to be.
    INCLUDED: in a block that a reorg could still undo.
    FINAL: under so many blocks that none is expected.
    DISPLACED: another transaction of the account took its nonce; it will never be included.
    """

    SIGNED = "signed"
    INCLUDED = "included"
    FINAL = "final"
    DISPLACED = "displaced"


UNDER_WAY = (SentState.SIGNED, SentState.INCLUDED)


class SentRow(Base):
    """See `Sent`. A journal holds what several accounts sent to several deployments."""

    __tablename__ = "sent_transactions"
    __table_args__ = (UniqueConstraint("deployment", "sender", "nonce"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    deployment: Mapped[str] = mapped_column(String(64))
    sender: Mapped[str] = mapped_column(String(42))
    nonce: Mapped[int | None] = mapped_column(BigInteger)
    purpose: Mapped[str] = mapped_column(String(40))
    recipient: Mapped[str] = mapped_column(String(42))
    call_data: Mapped[bytes] = mapped_column(LargeBinary)
    gas: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(20), index=True)
    signed_at: Mapped[int] = mapped_column(BigInteger)
    given_at: Mapped[int | None] = mapped_column(BigInteger)
    block: Mapped[int | None] = mapped_column(BigInteger, index=True)
    block_hash: Mapped[str | None] = mapped_column(String(66))
    included_hash: Mapped[str | None] = mapped_column(String(66))
    succeeded: Mapped[bool | None] = mapped_column()
    gas_used: Mapped[int | None] = mapped_column(BigInteger)


class VersionRow(Base):
    """See `Version`."""

    __tablename__ = "sent_versions"

    hash: Mapped[str] = mapped_column(String(66), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("sent_transactions.id"), index=True)
    max_fee: Mapped[int] = mapped_column(BigInteger)
    tip: Mapped[int] = mapped_column(BigInteger)
    signed: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Version:
    """One signature of a transaction.

    Attributes:
        hash: of the transaction, 0x-hex.
        max_fee: wei for a unit of gas, at most, the tip included.
        tip: of it to whoever makes the block, at most.
        signed: what is sent.
        signed_at: seconds since 1970.
    """

    hash: str
    max_fee: int
    tip: int
    signed: bytes
    signed_at: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction of this journal.

    Attributes:
        purpose: what the caller calls its kind.
        signed_at: of the first version, seconds since 1970.
        given_at: when a node first took it.
        block, block_hash, included_hash, succeeded, gas_used: once it is included; `included_hash`
            is that of the version that was.
        versions: oldest first.
    """

    id: int
    purpose: str
    nonce: int
    call: Call
    gas: int
    state: SentState
    signed_at: int
    given_at: int | None = None
    block: int | None = None
    block_hash: str | None = None
    included_hash: str | None = None
    succeeded: bool | None = None
    gas_used: int | None = None
    versions: tuple[Version, ...] = ()

    @property
    def hash(self) -> str:
        """Of the version that was included, else of the newest."""
        return self.included_hash or self.versions[-1].hash


@dataclass(frozen=True, slots=True)
class Handed:
    """What is told of a transaction to those whom it concerns.

    Attributes:
        hash: of the version that was included, else of the newest.
        given_at: when a node first took it.
    """

    hash: str
    given_at: int | None


def version_row(identifier: int, version: Version) -> dict[str, Any]:
    return {
        "hash": version.hash,
        "transaction_id": identifier,
        "max_fee": version.max_fee,
        "tip": version.tip,
        "signed": version.signed,
        "signed_at": version.signed_at,
    }


def sent_of(row: Any, versions: tuple[Version, ...]) -> Sent:
    return Sent(
        id=row.id,
        purpose=row.purpose,
        nonce=-1 if row.nonce is None else row.nonce,
        call=Call(row.recipient, row.call_data),
        gas=row.gas,
        state=SentState(row.state),
        signed_at=row.signed_at,
        given_at=row.given_at,
        block=row.block,
        block_hash=row.block_hash,
        included_hash=row.included_hash,
        succeeded=row.succeeded,
        gas_used=row.gas_used,
        versions=versions,
    )
