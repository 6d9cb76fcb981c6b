"""Enrolments in a database: what each request was answered, and who holds which commitment.

A row is written PENDING, with its commitment, before the gallery decides, and settled after. A
crash between the two leaves a PENDING row, and the gallery's own verdict says how to settle it.
Everything that a status brings with it (membership, the person's link, what is kept, a review's
case) is written in the transaction of that status.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, insert

from enrollment.cases import open_case
from enrollment.database import Database
from enrollment.errors import CommitmentAlreadyEnrolled
from enrollment.kept import Consent, Keepsakes, KeptRecords
from enrollment.membership import (
    Change,
    MembershipHistory,
    commitment_text,
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
    read,
    reread,
    select_all,
    unchanged,
)
from uniqueness.sealing import Keyring
from uniqueness.template import Probe

TAKEN = "This identity is enrolled already, or was. Make a new identity in the wallet."

_UNDECIDED = (EnrollmentStatus.PENDING, EnrollmentStatus.ADJUDICATION)


class EnrollmentStore:
    """Reads and writes enrolments.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        keyring: the template keys, for links to people and for what is kept.

    Attributes:
        database: for transactions of the same tables.
        persons: which enrolment is whose.
        kept: what people let be kept.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, keyring: Keyring) -> None:
        self.database = Database(engine)
        self.persons = PersonLinks(keyring)
        self.kept = KeptRecords(keyring)
        self.history = MembershipHistory(engine)

    def get(self, enrollment_id: str) -> Enrollment | None:
        """Read an enrolment by its id."""
        with self.database.read() as connection:
            return read(connection, EnrollmentRow.id == enrollment_id)

    def find(self, request: EnrollmentRequest) -> Enrollment | None:
        """Find the enrolment that this very request made before.

        Raises:
            IdempotencyKeyReused: its key came with another body.
        """
        with self.database.read() as connection:
            return find_request(connection, request)

    def holder(self, commitment: int) -> Enrollment | None:
        """Find the enrolment that has a commitment."""
        with self.database.read() as connection:
            return read(connection, EnrollmentRow.commitment == commitment_text(commitment))

    def was_member(self, commitment: int) -> bool:
        """Whether a commitment is a member, or was one."""
        with self.database.read() as connection:
            return last_change(connection, commitment) is not None

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
        )
        with self.database.write() as connection:
            if known := find_request(connection, request):
                return known
            same = EnrollmentRow.commitment == commitment_text(request.commitment)
            if read(connection, same) or last_change(connection, request.commitment):
                raise CommitmentAlreadyEnrolled(TAKEN)
            connection.execute(insert(EnrollmentRow), new_row(enrollment, request.body_digest))
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

    def accepted_commitments(self) -> list[int]:
        """List accepted identity commitments in the order in which they are to be published."""
        return self.history.accepted_commitments()

    def _follow(
        self,
        connection: Connection,
        enrollment: Enrollment,
        status: EnrollmentStatus,
        person: int | None,
    ) -> None:
        if status is not EnrollmentStatus.ACCEPTED:
            self.kept.destroy(connection, enrollment.id)
            return
        if enrollment.commitment is not None:
            record_change(connection, enrollment.commitment, Change.ADDED)
        if person is not None:
            self.persons.link(connection, enrollment.id, person)
        stays = Consent.ENROLLED in enrollment.consents
        self.kept.destroy(connection, enrollment.id, but_images=stays)
