"""Enrolments in a database: which commitments were accepted, and what each request was answered.

A row is written PENDING, with its commitment, before the gallery decides, and settled after. A
crash between the two leaves a PENDING row, and the gallery's own verdict says how to settle it.
No row names a template or a person of the gallery. What settles a row also appends to the decision
log, in one transaction.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
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
from transparency.entry import SECONDS_PER_HOUR, Kind
from transparency.journal import Journal, Recorded


class EnrollmentStatus(StrEnum):
    """How far an enrolment is."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REVIEW = "review"


_KINDS = {
    EnrollmentStatus.ACCEPTED: Kind.UNIQUE,
    EnrollmentStatus.DUPLICATE: Kind.DUPLICATE,
    EnrollmentStatus.REVIEW: Kind.REVIEW,
}
_BEFORE_THE_LOG = "before_log"  # the reason of acceptances that are older than the log


@dataclass(frozen=True)
class Enrollment:
    """One request for enrolment that reached the gallery, or is about to.

    Args:
        id: random, for receipts.
        idempotency_key: unique to the request; the gallery knows the request by it too.
        status: PENDING until the gallery has decided.
        created_at: when the request first came.
        logged: where the decision log has it; None while it is PENDING.
    """

    id: str
    idempotency_key: str = field(repr=False)
    status: EnrollmentStatus
    created_at: datetime
    logged: Recorded | None = None


@dataclass(frozen=True)
class EnrollmentRequest:
    """What identifies a request: its key, a digest of its body, and the commitment in it.

    Args:
        idempotency_key: unique to the request.
        body_digest: SHA-256 in hex.
        commitment: of the wallet.
        kiosk_id: which kiosk sent it; kept as a pseudonym alone.
    """

    idempotency_key: str
    body_digest: str
    commitment: int
    kiosk_id: str = ""


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
    kiosk: Mapped[str | None] = mapped_column(String(64))  # a pseudonym
    log_index: Mapped[int | None] = mapped_column(BigInteger)
    log_leaf: Mapped[bytes | None] = mapped_column(LargeBinary)  # 32 bytes


class EnrollmentStore:
    """Reads and writes enrolments.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        journal: writes the decision log, which is in the same database.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._database = Database(engine)
        self._journal = journal

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
            "kiosk": self._journal.pseudonym(request.kiosk_id) if request.kiosk_id else "",
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
        """Give a PENDING enrolment its status, and log it; of one settled before, the first stands.

        Args:
            enrollment: of this store.
            status: not PENDING.
        """
        waiting = select(EnrollmentRow.kiosk, EnrollmentRow.commitment)
        with self._database.write() as connection:
            pending = connection.execute(
                waiting.where(*_still_pending(enrollment)).with_for_update()
            ).one_or_none()
            if pending is not None:
                accepted = status is EnrollmentStatus.ACCEPTED
                commitment = int(pending.commitment, 16) if accepted else None
                logged = self._journal.record(
                    connection, _KINDS[status], commitment=commitment, kiosk=pending.kiosk or ""
                )
                values: dict[str, str | int | bytes | None] = {"status": status.value}
                if accepted:
                    last = connection.scalar(select(func.max(EnrollmentRow.sequence)))
                    values["sequence"] = (last or 0) + 1
                else:
                    values["commitment"] = None
                _update(connection, enrollment.id, values | _place_in_log(logged))
            row = connection.execute(_select().where(EnrollmentRow.id == enrollment.id)).one()
        return _enrollment(row)

    def record_rejection(self, reason: str, kiosk_id: str) -> None:
        """Log that a capture was refused before anybody was looked for, by its reason's code."""
        kiosk = self._journal.pseudonym(kiosk_id) if kiosk_id else ""
        self._journal.record_alone(Kind.REJECTED, reason=reason, kiosk=kiosk)

    def log_earlier_acceptances(self) -> None:
        """Log what was accepted before there was a log, so that every member has its entry."""
        unlogged = (
            _select(EnrollmentRow.commitment)
            .where(EnrollmentRow.sequence.is_not(None), EnrollmentRow.log_index.is_(None))
            .order_by(EnrollmentRow.sequence)
        )
        with self._database.write() as connection:
            for *known, commitment in connection.execute(unlogged).all():
                enrollment = _enrollment(known)
                hour = int(enrollment.created_at.timestamp()) // SECONDS_PER_HOUR
                logged = self._journal.record(
                    connection,
                    Kind.UNIQUE,
                    commitment=int(commitment, 16),
                    reason=_BEFORE_THE_LOG,
                    hour=hour * SECONDS_PER_HOUR,
                )
                _update(connection, enrollment.id, _place_in_log(logged))

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
        return [commitment for commitment, _ in self.accepted_after(0)]

    def accepted_after(self, known: int) -> list[tuple[int, datetime]]:
        """List accepted commitments but the first `known`, in order, and since when each waits."""
        query = (
            select(EnrollmentRow.commitment, EnrollmentRow.created_at)
            .where(EnrollmentRow.sequence > known)
            .order_by(EnrollmentRow.sequence)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [(int(text, 16), _in_utc(moment)) for text, moment in rows if text is not None]


def _select(*more: Any) -> Select[*tuple[Any, ...]]:
    return select(
        EnrollmentRow.id,
        EnrollmentRow.idempotency_key,
        EnrollmentRow.status,
        EnrollmentRow.created_at,
        EnrollmentRow.log_index,
        EnrollmentRow.log_leaf,
        *more,
    )


def _update(connection: Connection, enrollment_id: str, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(EnrollmentRow).where(EnrollmentRow.id == enrollment_id).values(**values)
    )


def _place_in_log(logged: Recorded) -> dict[str, int | bytes]:
    return {"log_index": logged.index, "log_leaf": logged.leaf_hash}


def _holder(commitment: int) -> Select[*tuple[Any, ...]]:
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


def _enrollment(row: Sequence[Any]) -> Enrollment:
    enrollment_id, idempotency_key, status, created_at, index, leaf = row
    logged = None if index is None else Recorded(index, leaf)
    return Enrollment(
        enrollment_id, idempotency_key, EnrollmentStatus(status), _in_utc(created_at), logged
    )


def _in_utc(moment: datetime) -> datetime:
    """SQLite forgets the zone of what was written in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _hex(commitment: int) -> str:
    return f"{commitment:064x}"
