"""Who is a member: every wallet added and removed, in the order in which it is to be published.

Numbered 1, 2, 3 without gaps. What is listed is public once it is published, so it stays when
everything else about an enrolment is deleted; and a commitment that is in it is never taken again.
"""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    LargeBinary,
    String,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base, Database
from transparency.entry import SECONDS_PER_HOUR
from transparency.journal import Recorded


class Change(StrEnum):
    """What happened to a commitment."""

    ADDED = "added"
    DELETED = "deleted"  # the person asked for it
    REPLACED = "replaced"  # the person came back with another wallet


class MembershipRow(Base):
    """See `MembershipChange`."""

    __tablename__ = "membership_changes"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    commitment: Mapped[str] = mapped_column(String(64), index=True)  # hex
    change: Mapped[str] = mapped_column(String(10))
    hour: Mapped[int]
    log_index: Mapped[int | None] = mapped_column(BigInteger)
    log_leaf: Mapped[bytes | None] = mapped_column(LargeBinary)  # 32 bytes


@dataclass(frozen=True)
class MembershipChange:
    """One commitment that became a member, or is one no more.

    Args:
        sequence: its place in the order of publication, from 1.
        commitment: of the wallet.
        change: which of the two, and why.
        hour: since 1970 UTC.
        logged: where the decision log has it; None of additions from before there was a log.
    """

    sequence: int
    commitment: int = field(repr=False)
    change: Change
    hour: int
    logged: Recorded | None = None


class MembershipHistory:
    """Reads what is to be published.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine) -> None:
        self._database = Database(engine)

    def changes(self, after: int = 0) -> list[MembershipChange]:
        """Everything beyond a sequence number, in order: replayed, it gives the members."""
        query = (
            select(MembershipRow.__table__)
            .where(MembershipRow.sequence > after)
            .order_by(MembershipRow.sequence)
        )
        with self._database.read() as connection:
            return [_change(row) for row in connection.execute(query)]

    def additions(self) -> list[MembershipChange]:
        """Every addition, in order."""
        return [change for change in self.changes() if change.change is Change.ADDED]

    def accepted_commitments(self) -> list[int]:
        """Every commitment that ever was added, in order."""
        return [change.commitment for change in self.additions()]

    def added(self) -> int:
        """Count the additions: those published, and those that wait for it."""
        query = select(func.count()).where(MembershipRow.change == Change.ADDED.value)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def removals(self) -> list[MembershipChange]:
        """Every removal, in order; its sequence number tells what it comes before and after."""
        return [c for c in self.changes() if c.change is not Change.ADDED]


def record_change(
    connection: Connection, commitment: int, change: Change, logged: Recorded
) -> MembershipChange:
    """Write the next change; others wait with theirs until this transaction ends.

    Whoever appended to the decision log before in this transaction holds its lock already, so the
    order here is the order there.
    """
    last = connection.scalar(_LAST_SEQUENCE) or 0
    hour = int(time.time()) // SECONDS_PER_HOUR
    made = MembershipChange(last + 1, commitment, change, hour, logged)
    row = {
        "sequence": made.sequence,
        "commitment": commitment_text(commitment),
        "change": change.value,
        "hour": made.hour,
        "log_index": logged.index,
        "log_leaf": logged.leaf_hash,
    }
    connection.execute(_INSERT, row)
    return made


def last_change(connection: Connection, commitment: int) -> MembershipChange | None:
    """What last happened to a commitment; None if it never was a member."""
    values = {"commitment": commitment_text(commitment)}
    row = connection.execute(_LAST_CHANGE, values).one_or_none()
    return _change(row) if row else None


def commitment_text(commitment: int) -> str:
    """A commitment as the tables hold it: 64 hexadecimal digits."""
    return f"{commitment:064x}"


def _change(row: Any) -> MembershipChange:
    logged = None if row.log_index is None else Recorded(row.log_index, row.log_leaf)
    commitment, change = int(row.commitment, 16), Change(row.change)
    return MembershipChange(row.sequence, commitment, change, row.hour, logged)


# Made once: to make a statement takes SQLAlchemy longer than to run it.
_LAST_CHANGE = (
    select(MembershipRow.__table__)
    .where(MembershipRow.commitment == bindparam("commitment"))
    .order_by(MembershipRow.sequence.desc())
    .limit(1)
)
_LAST_SEQUENCE = select(func.max(MembershipRow.sequence))
_INSERT = insert(MembershipRow)
