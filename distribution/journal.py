"""What one account signed, written before it is sent.

A transaction has a nonce and one version or more: each later version pays more, and all have the
same nonce, so that the chain takes one of them at most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from distribution.chain import Call
from distribution.database import Base, Database
from distribution.endpoint import Inclusion

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
    given_at: int | None
    block: int | None
    block_hash: str | None
    included_hash: str | None
    succeeded: bool | None
    gas_used: int | None
    versions: tuple[Version, ...]

    @property
    def hash(self) -> str:
        """Of the version that was included, else of the newest."""
        return self.included_hash or self.versions[-1].hash


class Journal:
    """The transactions of one account to one deployment.

    Args:
        database: where they are kept.
        deployment: which; nonces and blocks of another chain mean nothing on this one.
        sender: address of the account.

    Raises:
        JournalUnavailable: out of every method, the database failed.
    """

    def __init__(self, database: Database, deployment: str, sender: str) -> None:
        self.database = database
        self._of = (SentRow.deployment == deployment, SentRow.sender == sender)
        self._owner = {"deployment": deployment, "sender": sender}

    def add(
        self,
        purpose: str,
        call: Call,
        gas: int,
        first_nonce: int,
        sign: Callable[[int], Version],
        note: Callable[[Connection, int], None] | None = None,
    ) -> int:
        """Give a call the next nonce, sign it and keep it; returns its id.

        Args:
            first_nonce: how many transactions the chain has of the account.
            sign: makes the first version for a nonce.
            note: what else to write in the same database transaction, given the id.
        """
        with self.database.write() as connection:
            last = connection.scalar(select(func.max(SentRow.nonce)).where(*self._of))
            nonce = first_nonce if last is None else max(first_nonce, last + 1)
            version = sign(nonce)
            row = {
                "nonce": nonce,
                "purpose": purpose,
                "recipient": call.to,
                "call_data": call.data,
                "gas": gas,
                "state": SentState.SIGNED.value,
                "signed_at": version.signed_at,
            }
            inserted = insert(SentRow).values(self._owner | row).returning(SentRow.id)
            identifier = connection.execute(inserted).scalar_one()
            connection.execute(insert(VersionRow), _version_row(identifier, version))
            if note is not None:
                note(connection, identifier)
        return identifier

    def add_version(self, identifier: int, version: Version) -> None:
        with self.database.write() as connection:
            connection.execute(insert(VersionRow), _version_row(identifier, version))

    def transactions(
        self, states: Sequence[SentState] = UNDER_WAY, purpose: str | None = None
    ) -> list[Sent]:
        """Transactions in these states, by nonce."""
        where = [*self._of, SentRow.state.in_([state.value for state in states])]
        if purpose is not None:
            where.append(SentRow.purpose == purpose)
        return self._select(*where)

    def get(self, identifier: int) -> Sent:
        return self._select(*self._of, SentRow.id == identifier)[0]

    def newest_final(self, below: int | None = None) -> Sent | None:
        """The final one that is highest in the chain; of those in blocks below, if given."""
        query = select(SentRow.id).where(*self._of, SentRow.state == SentState.FINAL.value)
        if below is not None:
            query = query.where(SentRow.block < below)
        with self.database.read() as connection:
            identifier = connection.scalar(query.order_by(SentRow.block.desc()).limit(1))
        return None if identifier is None else self.get(identifier)

    def mark_given(self, sent: Sent) -> None:
        if sent.given_at is None:
            self._mark(SentRow.id == sent.id, given_at=now())

    def mark_included(self, sent: Sent, version: Version, inclusion: Inclusion) -> None:
        self._mark(
            SentRow.id == sent.id,
            state=SentState.INCLUDED.value,
            block=inclusion.block,
            block_hash=inclusion.block_hash,
            included_hash=version.hash,
            succeeded=inclusion.succeeded,
            gas_used=inclusion.gas_used,
        )

    def mark_final(self, sent: Sent) -> None:
        self._mark(SentRow.id == sent.id, state=SentState.FINAL.value)

    def mark_displaced(self, sent: Sent) -> None:
        """Its nonce is free in this journal, since it is another transaction's."""
        self._mark(SentRow.id == sent.id, state=SentState.DISPLACED.value, nonce=None)

    def reopen(self, sent: Sent) -> None:
        """The chain does not hold it any more."""
        self._mark(SentRow.id == sent.id, state=SentState.SIGNED.value, **_NOT_INCLUDED)

    def reopen_from(self, block: int) -> list[int]:
        """The chain is another one from `block` on; returns the ids that this concerns."""
        undone = (
            *self._of,
            SentRow.block >= block,
            SentRow.state.in_([SentState.INCLUDED.value, SentState.FINAL.value]),
        )
        values = {"state": SentState.SIGNED.value, **_NOT_INCLUDED}
        with self.database.write() as connection:
            identifiers = list(connection.scalars(select(SentRow.id).where(*undone)))
            connection.execute(update(SentRow).where(*undone).values(values))
        return identifiers

    def _mark(self, *where: Any, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(SentRow).where(*self._of, *where).values(values))

    def _select(self, *where: Any) -> list[Sent]:
        with self.database.read() as connection:
            rows = connection.execute(
                select(SentRow.__table__).where(*where).order_by(SentRow.nonce, SentRow.id)
            ).all()
            versions: dict[int, list[Version]] = {row.id: [] for row in rows}
            query = (
                select(VersionRow.__table__)
                .where(VersionRow.transaction_id.in_(versions))
                .order_by(VersionRow.max_fee)
            )
            for row in connection.execute(query):
                versions[row.transaction_id].append(
                    Version(row.hash, row.max_fee, row.tip, row.signed, row.signed_at)
                )
        return [_sent(row, tuple(versions[row.id])) for row in rows]


_NOT_INCLUDED: dict[str, None] = dict.fromkeys(
    ("block", "block_hash", "included_hash", "succeeded", "gas_used")
)


def now() -> int:
    """Seconds since 1970."""
    return int(time())


def _version_row(identifier: int, version: Version) -> dict[str, Any]:
    return {
        "hash": version.hash,
        "transaction_id": identifier,
        "max_fee": version.max_fee,
        "tip": version.tip,
        "signed": version.signed,
        "signed_at": version.signed_at,
    }


def _sent(row: Any, versions: tuple[Version, ...]) -> Sent:
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
