"""Enrolments in a database: what each request was answered, and who holds which commitment.

A row is written PENDING, with its commitment, before the gallery decides, and settled after. A
crash between the two leaves a PENDING row, and the gallery's own verdict says how to settle it.
Everything that a status brings with it (membership, the person's link, what is kept, a review's
case, the line of the decision log) is written in the transaction of that status.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, insert

from enrollment.cases import open_case, read_waiting
from enrollment.database import Database
from enrollment.errors import CommitmentAlreadyEnrolled
from enrollment.kept import Consent, Keepsakes, KeptRecords
from enrollment.membership import (
    Change,
    MembershipHistory,
    MembershipRow,
    last_change,
    record_change,
)
from enrollment.persons import PersonLinks
from enrollment.rows import (
    Enrollment,
    EnrollmentRequest,
    EnrollmentRow,
    EnrollmentStatus,
    enrollment_of,
    find_request,
    move,
    new_row,
    place_in_log,
    read,
    read_by_key,
    read_holder,
    reread,
    select_all,
    unchanged,
)
from transparency.entry import SECONDS_PER_HOUR, Kind
from transparency.journal import Journal, Recorded
from uniqueness.sealing import Keyring
from uniqueness.template import Probe

TAKEN = "This identity is enrolled already, or was. Make a new identity in the wallet."

_LOGGED = {
    EnrollmentStatus.DUPLICATE: (Kind.DUPLICATE, None),
    EnrollmentStatus.REVIEW: (Kind.REVIEW, None),
    EnrollmentStatus.NOT_FOUND: (Kind.REJECTED, "recovery_not_found"),
}
_BEFORE_THE_LOG = "before_log"  # the reason of acceptances that are older than the log
_BY_PEOPLE = "adjudication"
_IS_ACCEPTED = EnrollmentRow.status == EnrollmentStatus.ACCEPTED.value
_INSERT = insert(EnrollmentRow)
_UNDECIDED = (EnrollmentStatus.PENDING, EnrollmentStatus.ADJUDICATION)


class EnrollmentStore:
    """Reads and writes enrolments.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        keyring: the template keys, for links to people and for what is kept.
        journal: writes the decision log, which is in the same database.

    Attributes:
        database: for transactions of the same tables.
        persons: which enrolment is whose.
        kept: what people let be kept.
        history: who is a member.
        journal: as given.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, keyring: Keyring, journal: Journal) -> None:
        self.database = Database(engine)
        self.persons = PersonLinks(keyring)
        self.kept = KeptRecords(keyring)
        self.history = MembershipHistory(engine)
        self.journal = journal

    def get(self, enrollment_id: str) -> Enrollment | None:
        """Read an enrolment by its id."""
        with self.database.read() as connection:
            return read(connection, enrollment_id)

    def has(self, idempotency_key: str) -> bool:
        """Whether a request of this key reached the gallery, or was about to."""
        with self.database.read() as connection:
            return read_by_key(connection, idempotency_key) is not None

    def answered(self, request: EnrollmentRequest) -> Enrollment | None:
        """Find what this very request was answered before; None if it has to be decided.

        Raises:
            IdempotencyKeyReused: its key came with another body.
            CommitmentAlreadyEnrolled: another enrolment has the commitment, or had it.
        """
        with self.database.read() as connection:
            known = find_request(connection, request)
            if known is not None:
                return None if known.status is EnrollmentStatus.PENDING else known
            holder = read_holder(connection, request.commitment)
            undecided = holder is not None and holder.status is EnrollmentStatus.PENDING
            if (holder and not undecided) or last_change(connection, request.commitment):
                raise CommitmentAlreadyEnrolled(TAKEN)
        return None

    def holder(self, commitment: int) -> Enrollment | None:
        """Find the enrolment that has a commitment."""
        with self.database.read() as connection:
            return read_holder(connection, commitment)

    def reserve(self, request: EnrollmentRequest, keepsakes: Keepsakes | None = None) -> Enrollment:
        """Write a PENDING enrolment, unless this very request made one before.

        Args:
            keepsakes: of which that is kept for which the request brings consent.

        Raises:
            IdempotencyKeyReused: its key came with another body.
            CommitmentAlreadyEnrolled: another enrolment has the commitment, or had it.
        """
        enrollment = Enrollment(
            uuid.uuid4().hex,
            request.idempotency_key,
            EnrollmentStatus.PENDING,
            datetime.now(UTC),
            request.kind,
            request.consents,
            request.commitment,
            kiosk=self.journal.pseudonym(request.kiosk_id) if request.kiosk_id else "",
        )
        with self.database.write() as connection:
            if known := find_request(connection, request):
                return known
            taken = read_holder(connection, request.commitment)
            if taken or last_change(connection, request.commitment):
                raise CommitmentAlreadyEnrolled(TAKEN)
            connection.execute(_INSERT, new_row(enrollment, request.body_digest))
            if keepsakes is not None:
                self.kept.keep(connection, enrollment.id, keepsakes, request.consents)
        return enrollment

    def settle(
        self, enrollment: Enrollment, status: EnrollmentStatus, person: int | None = None
    ) -> Enrollment:
        """Give an undecided enrolment its status, and do all that comes with it.

        Args:
            enrollment: as it was read; of one that changed since, the status it has stands.
            status: ACCEPTED, with the new person of the gallery, or a refusal.
            person: who holds the commitment from now on.
        """
        with self.database.write() as connection:
            undecided = enrollment.status in _UNDECIDED
            if undecided and move(connection, enrollment, status):
                self._follow(connection, enrollment, status, person)
            return reread(connection, enrollment)

    def adjudicate(self, enrollment: Enrollment, candidates: Sequence[int]) -> Enrollment:
        """Put a PENDING enrolment before adjudicators.

        Args:
            candidates: people of the gallery whom it is like.
        """
        with self.database.write() as connection:
            if move(connection, enrollment, EnrollmentStatus.ADJUDICATION):
                self.log(connection, enrollment, Kind.REVIEW, reason=_BY_PEOPLE)
                self.kept.keep_candidates(connection, enrollment.id, candidates)
                open_case(connection, enrollment.id)
            return reread(connection, enrollment)

    def probe_of(self, enrollment: Enrollment) -> Probe | None:
        """Open the templates of an enrolment that may come to review; None if none are kept."""
        with self.database.read() as connection:
            return self.kept.probe(connection, enrollment.id)

    def discard(self, enrollment: Enrollment) -> None:
        """Remove a PENDING enrolment that the gallery never decided, and what was kept of it."""
        with self.database.write() as connection:
            query = delete(EnrollmentRow).where(*unchanged(enrollment))
            if connection.execute(query).rowcount:
                self.kept.destroy(connection, enrollment.id)

    def of_status(self, status: EnrollmentStatus) -> tuple[Enrollment, ...]:
        """List enrolments by how far they are, the oldest first."""
        query = select_all().where(EnrollmentRow.status == status.value)
        with self.database.read() as connection:
            rows = connection.execute(query.order_by(EnrollmentRow.created_at))
            return tuple(map(enrollment_of, rows))

    def pending(self) -> tuple[Enrollment, ...]:
        """List the enrolments that were under way when the service stopped."""
        return self.of_status(EnrollmentStatus.PENDING)

    def waiting(self) -> list[int]:
        """Since when each open review waits, Unix seconds, the oldest first."""
        with self.database.read() as connection:
            return read_waiting(connection)

    def accepted_commitments(self) -> list[int]:
        """List accepted identity commitments in the order in which they are to be published."""
        return self.history.accepted_commitments()

    def record_rejection(self, reason: str, kiosk_id: str) -> None:
        """Log that a request ended without a decision about anybody, by its reason's code."""
        kiosk = self.journal.pseudonym(kiosk_id) if kiosk_id else ""
        with self.database.write() as connection:
            self.journal.record(connection, Kind.REJECTED, reason=reason, kiosk=kiosk)

    def log_earlier_acceptances(self) -> None:
        """Log what was accepted before there was a log, so that every member has its entry."""
        unlogged = (
            select_all()
            .join(MembershipRow, MembershipRow.commitment == EnrollmentRow.commitment)
            .where(EnrollmentRow.log_index.is_(None), _IS_ACCEPTED)
            .order_by(MembershipRow.sequence)
        )
        with self.database.write() as connection:
            for row in connection.execute(unlogged).all():
                enrollment = enrollment_of(row)
                hour = int(enrollment.created_at.timestamp()) // SECONDS_PER_HOUR
                logged = self.journal.record(
                    connection,
                    Kind.UNIQUE,
                    commitment=enrollment.commitment,
                    reason=_BEFORE_THE_LOG,
                    hour=hour * SECONDS_PER_HOUR,
                )
                place_in_log(connection, enrollment, logged)

    def log(
        self,
        connection: Connection,
        enrollment: Enrollment,
        kind: Kind,
        *,
        commitment: int | None = None,
        reason: str | None = None,
    ) -> Recorded:
        """Append a decision about an enrolment to the log, and note where it is."""
        logged = self.journal.record(
            connection, kind, commitment=commitment, reason=reason, kiosk=enrollment.kiosk
        )
        place_in_log(connection, enrollment, logged)
        return logged

    def destroy_kept(
        self, connection: Connection, enrollment: Enrollment, *, but_images: bool = False
    ) -> bool:
        """Delete what is kept of an enrolment, or all but the pictures; log that pictures are gone.

        Returns:
            Whether pictures were deleted.
        """
        images = not but_images and self.kept.has_images(connection, enrollment.id)
        self.kept.destroy(connection, enrollment.id, but_images=but_images)
        if images:
            self.journal.record(connection, Kind.IMAGE_DESTROYED, kiosk=enrollment.kiosk)
        return images

    def _follow(
        self,
        connection: Connection,
        enrollment: Enrollment,
        status: EnrollmentStatus,
        person: int | None,
    ) -> None:
        """Write what a final status brings with it."""
        by_people = enrollment.status is EnrollmentStatus.ADJUDICATION
        if status is EnrollmentStatus.ACCEPTED and enrollment.commitment is not None:
            logged = self.log(
                connection,
                enrollment,
                Kind.UNIQUE,
                commitment=enrollment.commitment,
                reason=_BY_PEOPLE if by_people else None,
            )
            record_change(connection, enrollment.commitment, Change.ADDED, logged)
        elif not by_people:  # of what people decided the log has their decision
            kind, reason = _LOGGED[status]
            self.log(connection, enrollment, kind, reason=reason)
        if person is not None and status is EnrollmentStatus.ACCEPTED:
            self.persons.link(connection, enrollment.id, person)
        if enrollment.consents:  # nothing is kept without
            stays = status is EnrollmentStatus.ACCEPTED and Consent.ENROLLED in enrollment.consents
            self.destroy_kept(connection, enrollment, but_images=stays)
