"""The tables of a gallery. No row links a person to a request, but to who has the template key."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD = 1  # the id of the one row of `gallery_head`

_Counter = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only in INTEGER


class Base(DeclarativeBase):
    """The tables of this package."""


class HeadRow(Base):
    """One row that whoever decides locks: every number of the gallery is handed out from it.

    Numbers given under the lock and committed before it is let go become visible in their order,
    which a database's own sequence does not promise.
    """

    __tablename__ = "gallery_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    last_person: Mapped[int] = mapped_column(BigInteger)
    people: Mapped[int] = mapped_column(BigInteger)  # enrolled and not removed


class TemplateRow(Base):
    """One template of a person; what is sealed in it is erased when the person is removed."""

    __tablename__ = "templates"
    __table_args__ = (Index("templates_person_model", "person", "model"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    person: Mapped[int] = mapped_column(BigInteger)
    model: Mapped[str] = mapped_column(String(200))
    key_id: Mapped[str | None] = mapped_column(String(16))
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)


class RemovalRow(Base):
    """A person who was removed; numbered with the templates, so that an index can follow both."""

    __tablename__ = "removals"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    person: Mapped[int] = mapped_column(BigInteger, unique=True)
    hour: Mapped[int]


class VerdictRow(Base):
    """The answer that a request got, for when it asks again; the person in it is sealed."""

    __tablename__ = "verdicts"

    request_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    decision: Mapped[str] = mapped_column(String(20))
    hour: Mapped[int]
    key_id: Mapped[str | None] = mapped_column(String(16))
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)


class OutcomeRow(Base):
    """One line of the decision log: what happened, never to whom."""

    __tablename__ = "outcomes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    sequence: Mapped[int] = mapped_column(_Counter, primary_key=True)
    hour: Mapped[int] = mapped_column(index=True)
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(200))


class ScoreCountRow(Base):
    """How many probes of an outcome had their best impostor score in a bin, by blocks of people."""

    __tablename__ = "score_histogram"

    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bin: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)
