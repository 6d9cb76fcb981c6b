"""The claims that a relayer took, kept until they are paid."""

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from distribution.batch import ProvenClaim
from distribution.database import Database
from distribution.errors import RelayDatabaseMismatch
from distribution.journal import SentRow, SentState, now

VERSION = 1


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
    __table_args__ = (UniqueConstraint("deployment", "nullifier"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, index=True)
    deployment: Mapped[str] = mapped_column(String(64))
    nullifier: Mapped[str] = mapped_column(String(64))  # hex
    epoch: Mapped[int] = mapped_column(BigInteger)
    recipient: Mapped[str] = mapped_column(String(42))
    fee: Mapped[str] = mapped_column(String(78))
    points: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), index=True)
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
        alone: it goes into no batch any more, because one with it was refused.
        code: why it failed.
        transaction_id: in the sender's journal.
    """

    id: str
    sequence: int
    epoch: int
    proven: ProvenClaim
    state: ClaimState
    alone: bool
    code: str | None
    transaction_id: int | None
    received_at: int

    def has_terms(self, epoch: int, recipient: str, fee: int) -> bool:
        return (self.epoch, self.proven.recipient, self.proven.fee) == (epoch, recipient, fee)


class RelayStore:
    """Reads and writes claims for one deployment.

    Raises:
        RelayDatabaseMismatch: the database was made by another version.
        JournalUnavailable: here and out of every method, the database failed.
    """

    def __init__(self, database: Database, deployment: str) -> None:
        self._database = Database(database.engine, RelayBase)
        self._deployment = deployment
        self._ours = ClaimRow.deployment == deployment
        with self._database.write() as connection:
            found = connection.scalar(select(VersionRow.version))
            if found is None:
                connection.execute(insert(VersionRow), {"version": VERSION})
        if found not in {None, VERSION}:
            raise RelayDatabaseMismatch(
                f"the relayer's database is of version {found}, this program's is {VERSION}: let "
                "the program that made it pay what waits, then move the database away"
            )

    def find(self, nullifier: int) -> RelayedClaim | None:
        return _first(self._select(ClaimRow.nullifier == _hex(nullifier)))

    def get(self, identifier: str) -> RelayedClaim | None:
        return _first(self._select(ClaimRow.id == identifier))

    def add(self, epoch: int, claim: ProvenClaim) -> RelayedClaim:
        """Queue a claim; of one that is there already, that one is returned.

        One that failed is queued again, on the terms that it comes with now.
        """
        values = {
            "epoch": epoch,
            "recipient": claim.recipient,
            "fee": str(claim.fee),
            "points": json.dumps([str(coordinate) for coordinate in claim.points]),
            "state": ClaimState.QUEUED.value,
            "alone": False,
            "code": None,
            "transaction_id": None,
            "received_at": now(),
            "settled_at": None,
        }
        nullifier = _hex(claim.nullifier)
        named = (self._ours, ClaimRow.nullifier == nullifier)
        with self._database.write() as connection:
            last = connection.scalar(select(func.max(ClaimRow.sequence))) or 0
            values["sequence"] = last + 1
            state = connection.scalar(select(ClaimRow.state).where(*named))
            if state is None:
                key = {"deployment": self._deployment, "nullifier": nullifier}
                identifier = {"id": secrets.token_hex(16)}
                # Another request with the same nullifier may be first.
                with suppress(IntegrityError), connection.begin_nested():
                    connection.execute(insert(ClaimRow), identifier | key | values)
            elif state == ClaimState.FAILED:
                connection.execute(update(ClaimRow).where(*named).values(values))
        return self._select(ClaimRow.nullifier == nullifier)[0]

    def queued(self) -> list[RelayedClaim]:
        """Those that wait, oldest first."""
        return self._select(ClaimRow.state == ClaimState.QUEUED.value)

    def count_queued(self) -> int:
        query = select(func.count()).where(self._ours, ClaimRow.state == ClaimState.QUEUED.value)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def count_before(self, claim: RelayedClaim) -> int:
        """How many of its epoch wait before it."""
        query = select(func.count()).where(
            self._ours,
            ClaimRow.state == ClaimState.QUEUED.value,
            ClaimRow.epoch == claim.epoch,
            ClaimRow.sequence < claim.sequence,
        )
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def in_transaction(self, identifier: int) -> list[RelayedClaim]:
        return self._select(ClaimRow.transaction_id == identifier)

    def to_settle(self) -> list[int]:
        """Transactions whose claims wait for them, and that are final or never will be."""
        return self._transactions([ClaimState.SENT], [SentState.FINAL, SentState.DISPLACED])

    def to_reopen(self) -> list[int]:
        """Transactions that a reorg undid after their claims were settled."""
        return self._transactions(
            [ClaimState.FINALISED, ClaimState.FAILED], [SentState.SIGNED, SentState.INCLUDED]
        )

    def assign(self, connection: Connection, claims: Sequence[RelayedClaim], to: int) -> None:
        """Note, in the transaction that keeps it, which transaction pays these claims."""
        connection.execute(
            update(ClaimRow)
            .where(ClaimRow.id.in_([claim.id for claim in claims]))
            .values(state=ClaimState.SENT.value, transaction_id=to)
        )

    def reopen(self, transaction: int) -> None:
        """Its claims wait for it again."""
        self._update(
            ClaimRow.transaction_id == transaction,
            state=ClaimState.SENT.value,
            code=None,
            settled_at=None,
        )

    def requeue(self, claims: Sequence[RelayedClaim], *, alone: bool) -> None:
        self._update(
            _among(claims), state=ClaimState.QUEUED.value, alone=alone, transaction_id=None
        )

    def finalise(self, claims: Sequence[RelayedClaim]) -> None:
        self._update(_among(claims), state=ClaimState.FINALISED.value, settled_at=now())

    def fail(self, claims: Sequence[RelayedClaim], code: str) -> None:
        self._update(_among(claims), state=ClaimState.FAILED.value, code=code, settled_at=now())

    def forget(self, before: int) -> None:
        """Delete what was settled before, seconds since 1970."""
        with self._database.write() as connection:
            connection.execute(delete(ClaimRow).where(self._ours, ClaimRow.settled_at < before))

    def _transactions(self, states: list[ClaimState], sent: list[SentState]) -> list[int]:
        query = (
            select(ClaimRow.transaction_id)
            .distinct()
            .join(SentRow, SentRow.id == ClaimRow.transaction_id)
            .where(
                self._ours,
                ClaimRow.state.in_([state.value for state in states]),
                SentRow.state.in_([state.value for state in sent]),
            )
        )
        with self._database.read() as connection:
            return sorted(identifier for identifier in connection.scalars(query) if identifier)

    def _update(self, where: Any, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(update(ClaimRow).where(self._ours, where).values(values))

    def _select(self, where: Any) -> list[RelayedClaim]:
        query = select(ClaimRow.__table__).where(self._ours, where).order_by(ClaimRow.sequence)
        with self._database.read() as connection:
            return [_claim(row) for row in connection.execute(query)]


def _among(claims: Sequence[RelayedClaim]) -> Any:
    return ClaimRow.id.in_([claim.id for claim in claims])


def _claim(row: Any) -> RelayedClaim:
    points = tuple(int(coordinate) for coordinate in json.loads(row.points))
    return RelayedClaim(
        id=row.id,
        sequence=row.sequence,
        epoch=row.epoch,
        proven=ProvenClaim(row.recipient, int(row.fee), int(row.nullifier, 16), points),
        state=ClaimState(row.state),
        alone=row.alone,
        code=row.code,
        transaction_id=row.transaction_id,
        received_at=row.received_at,
    )


def _first(found: list[RelayedClaim]) -> RelayedClaim | None:
    return found[0] if found else None


def _hex(nullifier: int) -> str:
    return f"{nullifier:064x}"
