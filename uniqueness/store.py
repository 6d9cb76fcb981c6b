"""The truth of the gallery, in a database: sealed templates, verdicts, and what was counted.

Nothing here links a person to a request, keeps a single score, or tells a time finer than an
hour. One transaction holds everything that a batch of decisions changes.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    String,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from uniqueness.database import writer
from uniqueness.decision import Decision
from uniqueness.errors import GalleryUnavailable
from uniqueness.index import IdArray
from uniqueness.sealing import Keyring, SealedRecord
from uniqueness.template import FloatArray, Template

HISTOGRAM_BINS_PER_UNIT = 100  # a bin is 0.01 of cosine
REJECTED = "rejected"

_SECONDS_PER_HOUR = 3600
_CHUNK = 8192  # templates read at a time
_VECTOR_DTYPE = np.dtype("<f4")
_Sequence = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only in INTEGER


class Base(DeclarativeBase):
    """The tables of this package."""


class TemplateRow(Base):
    """One sealed template of an enrolled person."""

    __tablename__ = "templates"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  (a sequence is never reused)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    template_id: Mapped[str] = mapped_column(String(32), unique=True)
    person_id: Mapped[str] = mapped_column(String(32), index=True)
    model: Mapped[str] = mapped_column(String(200))
    key_id: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class VerdictRow(Base):
    """The decision that a request got, for when it asks again."""

    __tablename__ = "verdicts"

    request_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    decision: Mapped[str] = mapped_column(String(20))
    hour: Mapped[int]


class OutcomeRow(Base):
    """One line of the decision log: what happened, never to whom."""

    __tablename__ = "outcomes"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    hour: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(200))


class ScoreCountRow(Base):
    """How many probes of an outcome had their best impostor score in a bin."""

    __tablename__ = "score_histogram"

    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Verdict:
    """A decision about a probe, and the best score it rests on (-inf: nobody to compare with)."""

    request_id: str
    template: Template
    decision: Decision
    score: float = field(repr=False)


class GalleryStore:
    """Reads and writes the tables of a gallery.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        keyring: the template keys.

    Raises:
        GalleryUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, keyring: Keyring) -> None:
        self._keyring = keyring
        self._engine = engine
        self._writer = writer(engine)
        with _faults_translated():
            Base.metadata.create_all(self._writer)

    @property
    def engine(self) -> Engine:
        """The engine that was given."""
        return self._engine

    def commit(self, verdicts: Sequence[Verdict]) -> IdArray:
        """Write a batch of decisions in one transaction; all of it or nothing.

        Returns:
            (u,) int64, the sequence numbers of the templates of the unique ones, in order.
        """
        unique = [verdict.template for verdict in verdicts if verdict.decision is Decision.UNIQUE]
        with self._write() as connection:
            hour = _hour()
            sequences = self._insert_templates(connection, unique)
            connection.execute(
                insert(VerdictRow),
                [
                    {"request_id": v.request_id, "decision": v.decision.value, "hour": hour}
                    for v in verdicts
                ],
            )
            for verdict in verdicts:
                model = verdict.template.model
                _log_outcome(connection, hour, verdict.decision.value, "", model)
                if np.isfinite(verdict.score):
                    _count_score(connection, verdict.decision.value, model, verdict.score)
        return np.array(sequences, np.int64)

    def record_rejection(self, reason: str, model: str) -> None:
        """Log that a capture never became a probe, by the code of its reason."""
        with self._write() as connection:
            _log_outcome(connection, _hour(), REJECTED, reason, model)

    def verdicts(self, request_ids: Sequence[str]) -> dict[str, Decision]:
        """Look up the decisions that requests got before."""
        query = select(VerdictRow.request_id, VerdictRow.decision).where(
            VerdictRow.request_id.in_(request_ids)
        )
        with self._read() as connection:
            return {row.request_id: Decision(row.decision) for row in connection.execute(query)}

    def models(self) -> tuple[str, ...]:
        """Names of the models that have templates here."""
        with self._read() as connection:
            return tuple(connection.scalars(select(TemplateRow.model).distinct()))

    def templates(self, *, after: int = 0) -> Iterator[tuple[IdArray, FloatArray]]:
        """Read templates in order of their sequence numbers, in chunks.

        Yields:
            (n,) int64 sequence numbers and (n, d) float32 vectors.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        while True:
            query = (
                select(*TemplateRow.__table__.columns)
                .where(TemplateRow.sequence > after)
                .order_by(TemplateRow.sequence)
                .limit(_CHUNK)
            )
            with self._read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            vectors = [
                self._keyring.open(
                    SealedRecord(row.key_id, row.nonce, row.ciphertext),
                    context=_context(row.template_id, row.model),
                )
                for row in rows
            ]
            matrix = np.frombuffer(b"".join(vectors), _VECTOR_DTYPE).reshape(len(rows), -1)
            yield np.array([row.sequence for row in rows], np.int64), matrix.astype(np.float32)
            after = rows[-1].sequence

    def _insert_templates(
        self, connection: Connection, templates: Sequence[Template]
    ) -> Sequence[int]:
        if not templates:
            return []
        query = insert(TemplateRow).returning(TemplateRow.sequence, sort_by_parameter_order=True)
        rows = [self._sealed_row(template) for template in templates]
        return connection.scalars(query, rows).all()

    def _sealed_row(self, template: Template) -> dict[str, str | bytes]:
        template_id = uuid.uuid4().hex
        content = template.vector.astype(_VECTOR_DTYPE).tobytes()
        record = self._keyring.seal(content, context=_context(template_id, template.model))
        return {
            "template_id": template_id,
            "person_id": uuid.uuid4().hex,
            "model": template.model,
            "key_id": record.key_id,
            "nonce": record.nonce,
            "ciphertext": record.ciphertext,
        }

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _faults_translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with _faults_translated(), self._writer.begin() as connection:
            yield connection


def _context(template_id: str, model: str) -> bytes:
    return f"personhood template\0{template_id}\0{model}".encode()


def _log_outcome(connection: Connection, hour: int, outcome: str, reason: str, model: str) -> None:
    connection.execute(
        insert(OutcomeRow), {"hour": hour, "outcome": outcome, "reason": reason, "model": model}
    )


def _count_score(connection: Connection, outcome: str, model: str, score: float) -> None:
    key = {"outcome": outcome, "model": model, "bin": score_bin(score)}
    bumped = connection.execute(
        update(ScoreCountRow).filter_by(**key).values(count=ScoreCountRow.count + 1)
    )
    if bumped.rowcount == 0:
        connection.execute(insert(ScoreCountRow), {**key, "count": 1})


def score_bin(score: float) -> int:
    """Number the bin of a cosine in [-1, 1]: bin b holds b/100 <= score < (b+1)/100."""
    return int(np.floor(np.clip(score, -1.0, 1.0) * HISTOGRAM_BINS_PER_UNIT))


def _hour() -> int:
    return int(time.time() // _SECONDS_PER_HOUR)


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise GalleryUnavailable(
            "the gallery's database failed, nothing was decided: look at the service's log, then "
            "send the same request again"
        ) from error
