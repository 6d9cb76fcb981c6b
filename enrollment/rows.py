"""The rows of enrolments as values, and how they change; within a caller's transaction."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    LargeBinary,
    Select,
    String,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base
from enrollment.errors import IdempotencyKeyReused
from enrollment.kept import Consent
from enrollment.membership import commitment_text
from transparency.journal import Recorded


class EnrollmentKind(StrEnum):
    """What a person came for."""

    ENROLLMENT = "enrollment"
    RECOVERY = "recovery"  # enrolled before, with a wallet that is lost


class EnrollmentStatus(StrEnum):
    """How far an enrolment is."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REVIEW = "review"  # not decided, to be tried again
    ADJUDICATION = "adjudication"  # not decided, two people look at it
    NOT_FOUND = "not_found"  # a recovery of somebody who is not enrolled
    DELETING = "deleting"  # a member no more, and about to be forgotten


# The commitment is held, or is about to be given back by a retry.
_HOLDING = (
    EnrollmentStatus.PENDING,
    EnrollmentStatus.ACCEPTED,
    EnrollmentStatus.ADJUDICATION,
    EnrollmentStatus.DELETING,
)


@dataclass(frozen=True)
class Enrollment:
    """One request for enrolment that reached the gallery, or is about to.

    Args:
        id: random, for receipts and for asking how it went.
        idempotency_key: unique to the request; the gallery knows the request by it too.
        status: PENDING until the gallery has decided.
        created_at: when the request first came.
        kind: what the person came for.
        consents: to what may be kept.
        commitment: of the wallet; None where the enrolment was refused.
        kiosk: a pseudonym of the one that sent it.
        logged: where the decision log has the decision; None while there is none.
    """

    id: str
    idempotency_key: str = field(repr=False)
    status: EnrollmentStatus
    created_at: datetime
    kind: EnrollmentKind = EnrollmentKind.ENROLLMENT
    consents: frozenset[Consent] = frozenset()
    commitment: int | None = field(default=None, repr=False)
    logged: Recorded | None = None
    kiosk: str = ""


@dataclass(frozen=True)
class EnrollmentRequest:
    """What identifies a request: its key, a digest of its body, and what the body asks for.

    Args:
        idempotency_key: unique to the request.
        body_digest: SHA-256 in hex.
        commitment: of the wallet.
        kiosk_id: which kiosk sent it; kept as a pseudonym alone.
        kind: what the person came for.
        consents: to what may be kept.
    """

    idempotency_key: str
    body_digest: str
    commitment: int = field(repr=False)
    kiosk_id: str = ""
    kind: EnrollmentKind = EnrollmentKind.ENROLLMENT
    consents: frozenset[Consent] = frozenset()


class EnrollmentRow(Base):
    """See `Enrollment`. The commitment of a refused enrolment is null, so that it is free again."""

    __tablename__ = "enrollments"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(200), unique=True)
    body_digest: Mapped[str] = mapped_column(String(64))
    commitment: Mapped[str | None] = mapped_column(String(64), unique=True)  # hex
    status: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str] = mapped_column(String(20))
    consents: Mapped[str] = mapped_column(String(60))  # joined by commas
    kiosk: Mapped[str | None] = mapped_column(String(64))  # a pseudonym
    log_index: Mapped[int | None] = mapped_column(BigInteger)
    log_leaf: Mapped[bytes | None] = mapped_column(LargeBinary)  # 32 bytes


class SpentKeyRow(Base):
    """The digest of a forgotten request's key: the gallery still has a verdict under that key."""

    __tablename__ = "spent_request_keys"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)


def move(connection: Connection, enrollment: Enrollment, status: EnrollmentStatus) -> bool:
    """Give an enrolment a status if it still has the one that was read; tells whether it had."""
    query = _MOVE if status in _HOLDING else _MOVE_AND_LET_GO
    values = {"its_id": enrollment.id, "was": enrollment.status.value, "becomes": status.value}
    return connection.execute(query, values).rowcount == 1


def place_in_log(connection: Connection, enrollment: Enrollment, logged: Recorded) -> None:
    """Note where the decision log has an enrolment's decision."""
    values = {"its_id": enrollment.id, "index": logged.index, "leaf": logged.leaf_hash}
    connection.execute(_PLACE_IN_LOG, values)


def forget(connection: Connection, enrollment: Enrollment) -> None:
    """Delete an enrolment; that its key was used is all that is remembered of the request."""
    query = delete(EnrollmentRow).where(EnrollmentRow.id == enrollment.id)
    if connection.execute(query).rowcount:
        row = {"digest": _key_digest(enrollment.idempotency_key)}
        connection.execute(insert(SpentKeyRow), row)


def read(connection: Connection, enrollment_id: str, *, lock: bool = False) -> Enrollment | None:
    """Read an enrolment by its id; with `lock`, to change it."""
    query = _BY_ID.with_for_update() if lock else _BY_ID
    return _read_one(connection, query, {"id": enrollment_id})


def read_by_key(connection: Connection, idempotency_key: str) -> Enrollment | None:
    """Read the enrolment that a request of this key made."""
    return _read_one(connection, _BY_KEY, {"key": idempotency_key})


def read_holder(connection: Connection, commitment: int) -> Enrollment | None:
    """Read the enrolment that has a commitment."""
    return _read_one(connection, _BY_COMMITMENT, {"commitment": commitment_text(commitment)})


def reread(connection: Connection, enrollment: Enrollment) -> Enrollment:
    """Read an enrolment as it is now."""
    return enrollment_of(connection.execute(_BY_ID, {"id": enrollment.id}).one())


def select_all() -> Select[*tuple[Any, ...]]:
    """Select what `Enrollment` has."""
    return select(
        EnrollmentRow.id,
        EnrollmentRow.idempotency_key,
        EnrollmentRow.status,
        EnrollmentRow.created_at,
        EnrollmentRow.kind,
        EnrollmentRow.consents,
        EnrollmentRow.commitment,
        EnrollmentRow.kiosk,
        EnrollmentRow.log_index,
        EnrollmentRow.log_leaf,
    )


def unchanged(enrollment: Enrollment) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which an enrolment still is as it was read."""
    return EnrollmentRow.id == enrollment.id, EnrollmentRow.status == enrollment.status.value


def find_request(connection: Connection, request: EnrollmentRequest) -> Enrollment | None:
    """Find the enrolment that this very request made before.

    Raises:
        IdempotencyKeyReused: its key came with another body, or is of a request now forgotten.
    """
    key = request.idempotency_key
    found = read_by_key(connection, key)
    if found is None:
        reused = connection.scalar(_SPENT, {"digest": _key_digest(key)}) is not None
    else:
        reused = connection.scalar(_BODY_DIGEST, {"key": key}) != request.body_digest
    if reused:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came before with another commitment or photograph. "
            "Use a new key for a new request."
        )
    return found


def _read_one(
    connection: Connection, query: Select[*tuple[Any, ...]], values: dict[str, str]
) -> Enrollment | None:
    row = connection.execute(query, values).one_or_none()
    return enrollment_of(row) if row else None


def _key_digest(idempotency_key: str) -> str:
    return hashlib.sha256(idempotency_key.encode()).hexdigest()


def new_row(enrollment: Enrollment, body_digest: str) -> dict[str, Any]:
    """Make the row of an enrolment that has a commitment."""
    return {
        "id": enrollment.id,
        "idempotency_key": enrollment.idempotency_key,
        "body_digest": body_digest,
        "commitment": commitment_text(enrollment.commitment or 0),
        "status": enrollment.status.value,
        "created_at": enrollment.created_at,
        "kind": enrollment.kind.value,
        "consents": ",".join(sorted(enrollment.consents)),
        "kiosk": enrollment.kiosk,
    }


def enrollment_of(row: Any) -> Enrollment:
    """Read a row of `select_all`."""
    # SQLite forgets the zone of what was written in UTC.
    at = row.created_at if row.created_at.tzinfo else row.created_at.replace(tzinfo=UTC)
    return Enrollment(
        row.id,
        row.idempotency_key,
        EnrollmentStatus(row.status),
        at,
        EnrollmentKind(row.kind),
        frozenset(Consent(name) for name in row.consents.split(",") if name),
        int(row.commitment, 16) if row.commitment else None,
        None if row.log_index is None else Recorded(row.log_index, row.log_leaf),
        row.kiosk or "",
    )


# Made once: to make a statement takes SQLAlchemy longer than to run it.
_BY_ID = select_all().where(EnrollmentRow.id == bindparam("id"))
_BY_KEY = select_all().where(EnrollmentRow.idempotency_key == bindparam("key"))
_BY_COMMITMENT = select_all().where(EnrollmentRow.commitment == bindparam("commitment"))
_BODY_DIGEST = select(EnrollmentRow.body_digest).where(
    EnrollmentRow.idempotency_key == bindparam("key")
)
_SPENT = select(SpentKeyRow.digest).where(SpentKeyRow.digest == bindparam("digest"))
_OF_ITS_ID = update(EnrollmentRow).where(EnrollmentRow.id == bindparam("its_id"))
_PLACE_IN_LOG = _OF_ITS_ID.values(log_index=bindparam("index"), log_leaf=bindparam("leaf"))
_MOVE = _OF_ITS_ID.where(EnrollmentRow.status == bindparam("was")).values(
    status=bindparam("becomes")
)
_MOVE_AND_LET_GO = _MOVE.values(commitment=None)
