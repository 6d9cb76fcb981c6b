"""The tables of the log. Rows are only ever added, but for the one head row."""

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD = 1  # the id of the one row of `decision_log_head`

_Place = BigInteger().with_variant(Integer, "sqlite")  # SQLite's own row number is an INTEGER


class Base(DeclarativeBase):
    """The tables of this package."""


class HeadRow(Base):
    """One row that whoever appends locks, so that the order of the log has no gap.

    `frontier` holds the hashes of the perfect subtrees that all leaves split into, left to right,
    32 bytes each: all that an append needs to read.
    """

    __tablename__ = "decision_log_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)


class LeafRow(Base):
    """A leaf; its kind once more, to find the last of a kind."""

    __tablename__ = "decision_log_leaves"

    place: Mapped[int] = mapped_column(_Place, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(30), index=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)


class NodeRow(Base):
    """The hash of a perfect subtree of two leaves or more, at index * 64 + level."""

    __tablename__ = "decision_log_nodes"

    place: Mapped[int] = mapped_column(_Place, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class OpeningRow(Base):
    """Which commitment a leaf is about; public."""

    __tablename__ = "decision_log_openings"

    place: Mapped[int] = mapped_column(_Place, primary_key=True, autoincrement=False)
    commitment: Mapped[str] = mapped_column(String(64), index=True)  # hex
    salt: Mapped[bytes] = mapped_column(LargeBinary)
