"""The tables of one party. No row says whose template it is; only the coordinator knows that."""

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

OWNER = 1  # the id of the one row of `owner`


class Base(DeclarativeBase):
    """The tables of a party."""


class OwnerRow(Base):
    """One row: whose store this is, so that no other party's process writes into it."""

    __tablename__ = "owner"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    party: Mapped[int]
    dimension: Mapped[int]
    counted: Mapped[int | None] = mapped_column(BigInteger)  # the head of the last histogram


class EntryRow(Base):
    """One number of the gallery: a template, or a removal.

    A template has `batch` and `row`, where it came from, and the digests of its components; those
    stay when its share is erased. A removal has `erased`, the numbers it erased, 8 bytes each.
    """

    __tablename__ = "entries"
    # Shares that are there are counted often, and rows are large.
    __table_args__ = (Index("entries_key", "key_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    batch: Mapped[str | None] = mapped_column(String(64))
    row: Mapped[int | None]
    first: Mapped[bytes | None] = mapped_column(LargeBinary)
    second: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased: Mapped[bytes | None] = mapped_column(LargeBinary)
    chain_first: Mapped[bytes] = mapped_column(LargeBinary)
    chain_second: Mapped[bytes] = mapped_column(LargeBinary)
    erased_at: Mapped[int | None] = mapped_column(BigInteger)  # the number of the removal
    key_id: Mapped[str | None] = mapped_column(String(16))
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)


class PreparedRow(Base):
    """A share that waits for the decision on its batch."""

    __tablename__ = "prepared"

    batch: Mapped[str] = mapped_column(String(64), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first: Mapped[bytes] = mapped_column(LargeBinary)
    second: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class SettledRow(Base):
    """A batch that was committed or discarded: its shares are taken no second time."""

    __tablename__ = "settled"

    batch: Mapped[str] = mapped_column(String(64), primary_key=True)
