"""Enrolments in a database: which commitments were accepted, and what each request was answered.

A row is written PENDING, with its commitment, before the gallery decides, and settled after. A
crash between the two leaves a PENDING row, and the gallery's own verdict says how to settle it.
No row names a template or a person of the gallery.
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Row,
    Select,
    String,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base, Database
from enrollment.errors import (
    CommitmentAlreadyEnrolled,
    IdempotencyKeyReused,
)


class EnrollmentStatus(StrEnum):
    """How far an enrolment is."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REVIEW = "review"


@dataclass(frozen=True)
class Enrollment:
    """One request for enrolment that reached the gallery, or is about to.

    Args:
        id: random, for receipts.
        idempotency_key: unique to the request; the gallery knows the request by it too.
        status: PENDING until the gallery has decided.
        created_at: when the request first came.
    """

    id: str
    idempotency_key: str = field(repr=False)
    status: EnrollmentStatus
    created_at: datetime


@dataclass(frozen=True)
class EnrollmentRequest:
    """What identifies a request: its key, a digest of its body, and the commitment in it."""

    idempotency_key: str
    body_digest: str
    commitment: int


class EnrollmentRow(Base):
    """See `Enrollment`.

    The commitment of a refused enrolment is null, so that it is free again. Accepted ones have a
    sequence number, 1, 2, 3 without gaps: the order in which they are published.
    """

    __tablename__ = "enrollments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(200), unique=True)
    body_digest: Mapped[str] = mapped_column(String(64))
    commitment: Mapped[str | None] = mapped_column(String(64), unique=True)  # hex
    status: Mapped[str] = mapped_column(String(20), index=True)
    sequence: Mapped[int | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EnrollmentStore:
    """Reads and writes enrolments.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine) -> None:
        self._database = Database(engine)

    def find(self, request: EnrollmentRequest) -> Enrollment | None:
        """Find the enrolment that this very request made before.

        Raises:
            IdempotencyKeyReused: its key came with another body.
        """
        with self._database.read() as connection:
            return _find(connection, request)

    def holder(self, commitment: int) -> Enrollment | None:
        """Find the pending or accepted enrolment that has a commitment."""
        with self._database.read() as connection:
            row = connection.execute(_holder(commitment)).one_or_none()
        return _enrollment(row) if row else None

    def by_id(self, enrollment_id: str) -> Enrollment | None:
        """Find the enrolment that a receipt names."""
        query = _select().where(EnrollmentRow.id == enrollment_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return _enrollment(row) if row else None

    def accepted(self) -> int:
        """Count the accepted commitments: those published, and those that wait for it."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(EnrollmentRow.sequence))) or 0

    def reserve(self, request: EnrollmentRequest) -> Enrollment:
        """Write a PENDING enrolment, unless this very request made one before.

        Raises:
            IdempotencyKeyReused: its key came with another body.
            CommitmentAlreadyEnrolled: another enrolment, pending or accepted, has the commitment.
        """
        now, pending = datetime.now(UTC), EnrollmentStatus.PENDING
        enrollment = Enrollment(uuid.uuid4().hex, request.idempotency_key, pending, now)
        row = {
            "id": enrollment.id,
            "idempotency_key": request.idempotency_key,
            "body_digest": request.body_digest,
            "commitment": _hex(request.commitment),
            "status": enrollment.status.value,
            "created_at": enrollment.created_at,
        }
        with self._database.write() as connection:
            if known := _find(connection, request):
                return known
            if connection.execute(_holder(request.commitment)).first():
                raise CommitmentAlreadyEnrolled(
                    "This identity is enrolled already. Make a new identity in the wallet."
                )
            connection.execute(insert(EnrollmentRow), row)
        return enrollment

    def settle(self, enrollment: Enrollment, status: EnrollmentStatus) -> Enrollment:
        """Give a PENDING enrolment its status; of one already settled, the first status stands."""
        with self._database.write() as connection:
            values: dict[str, str | int | None] = {"status": status.value}
            if status is EnrollmentStatus.ACCEPTED:
                last = connection.scalar(select(func.max(EnrollmentRow.sequence)))
                values["sequence"] = (last or 0) + 1
            else:
                values["commitment"] = None
            connection.execute(update(EnrollmentRow).where(*_still_pending(enrollment)), values)
            row = connection.execute(_select().where(EnrollmentRow.id == enrollment.id)).one()
        return _enrollment(row)

    def discard(self, enrollment: Enrollment) -> None:
        """Remove a PENDING enrolment that the gallery never decided."""
        with self._database.write() as connection:
            connection.execute(delete(EnrollmentRow).where(*_still_pending(enrollment)))

    def pending(self) -> tuple[Enrollment, ...]:
        """List the enrolments that were under way when the service stopped."""
        query = (
            _select()
            .where(EnrollmentRow.status == EnrollmentStatus.PENDING.value)
            .order_by(EnrollmentRow.created_at)
        )
        with self._database.read() as connection:
            return tuple(_enrollment(row) for row in connection.execute(query))

    def accepted_commitments(self) -> list[int]:
        """List accepted identity commitments in the order in which they are to be published."""
        query = (
            select(EnrollmentRow.commitment)
            .where(EnrollmentRow.sequence.is_not(None))
            .order_by(EnrollmentRow.sequence)
        )
        with self._database.read() as connection:
            return [int(text, 16) for text in connection.scalars(query) if text is not None]


def _select() -> Select[str, str, str, datetime]:
    return select(
        EnrollmentRow.id,
        EnrollmentRow.idempotency_key,
        EnrollmentRow.status,
        EnrollmentRow.created_at,
    )


def _holder(commitment: int) -> Select[str, str, str, datetime]:
    return _select().where(EnrollmentRow.commitment == _hex(commitment))


def _still_pending(enrollment: Enrollment) -> tuple[ColumnElement[bool], ...]:
    return (
        EnrollmentRow.id == enrollment.id,
        EnrollmentRow.status == EnrollmentStatus.PENDING.value,
    )


def _find(connection: Connection, request: EnrollmentRequest) -> Enrollment | None:
    same_key = EnrollmentRow.idempotency_key == request.idempotency_key
    row = connection.execute(_select().where(same_key)).one_or_none()
    if row is None:
        return None
    if connection.scalar(select(EnrollmentRow.body_digest).where(same_key)) != request.body_digest:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came before with another commitment or photograph. "
            "Use a new key for a new request."
        )
    return _enrollment(row)


def _enrollment(row: Row[str, str, str, datetime]) -> Enrollment:
    enrollment_id, idempotency_key, status, created_at = row
    # SQLite forgets the zone of what was written in UTC.
    moment = created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC)
    return Enrollment(enrollment_id, idempotency_key, EnrollmentStatus(status), moment)


def _hex(commitment: int) -> str:
    return f"{commitment:064x}"
