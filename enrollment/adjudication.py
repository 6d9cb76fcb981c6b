"""Two people decide what the machine could not: the queue, the pictures, the votes, the outcome.

A review comes here when the person let today's pictures be kept for it, and everybody whom they
are like has let pictures be kept while enrolled: otherwise there is nothing to compare, and the
person is asked for another capture instead. When it is decided the pictures are destroyed, unless
the person is enrolled by it and agreed to that too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from enrollment.cases import (
    Case,
    CaseOutcome,
    Verdict,
    add_vote,
    close_case,
    note_view,
    open_case_ids,
    read_case,
)
from enrollment.errors import AdjudicatorNameInvalid, RecoveryTooSoon, ReviewCaseUnknown
from enrollment.recovery import Recoveries
from enrollment.rows import Enrollment, EnrollmentKind, EnrollmentStatus, read
from enrollment.store import EnrollmentStore
from transparency.entry import Kind
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.template import Probe

STATUS = {
    Decision.UNIQUE: EnrollmentStatus.ACCEPTED,
    Decision.DUPLICATE: EnrollmentStatus.DUPLICATE,
    Decision.REVIEW: EnrollmentStatus.REVIEW,
}
_MAX_NAME = 60


class Enroller(Protocol):
    """What enrols somebody despite a likeness; `Gallery.identify_and_enroll` is one."""

    def __call__(self, probe: Probe, request_id: str, *, despite: Sequence[int]) -> Identification:
        """See `uniqueness.gallery.Gallery.identify_and_enroll`."""
        ...


@dataclass(frozen=True)
class CaseView:
    """What an adjudicator looks at.

    Args:
        case: the review.
        kind: what the person came for.
        images: encoded pictures of the person.
        candidates: those of each person they are like, numbered on the screen from 1.
    """

    case: Case
    kind: EnrollmentKind
    images: tuple[bytes, ...] = field(repr=False)
    candidates: tuple[tuple[bytes, ...], ...] = field(repr=False)


class AdjudicationService:
    """Lets people decide reviews; safe to call from many threads and processes.

    Args:
        store: of enrolments.
        recoveries: replaces wallets.
        enroll: enrols who was told apart.
    """

    def __init__(self, store: EnrollmentStore, recoveries: Recoveries, enroll: Enroller) -> None:
        self._store = store
        self._recoveries = recoveries
        self._enroll = enroll

    def queue(self, adjudicator: str | None = None) -> tuple[Case, ...]:
        """List the open reviews, the oldest first; with a name, those that await this vote."""
        with self._store.database.read() as connection:
            cases = [read_case(connection, case_id) for case_id in open_case_ids(connection)]
        return tuple(c for c in cases if adjudicator is None or c.awaits(adjudicator))

    def open(self, case_id: str, adjudicator: str) -> CaseView:
        """Show the pictures of a review, and write down who looks at them.

        Raises:
            ReviewCaseUnknown: there is none of this id, or it is decided, or there is nothing to
                compare any more, so that the person is asked for another capture.
            AdjudicatorNameInvalid: the name cannot be written down.
            EnrollmentStoreUnavailable: the database failed.
        """
        _require_name(adjudicator)
        with self._store.database.write() as connection:
            case = read_case(connection, case_id, lock=True)
            enrollment = read(connection, case_id)
            if case.outcome is not None or enrollment is None:
                raise ReviewCaseUnknown("this review is over: see `personhood review list`")
            images = self._store.kept.images(connection, case_id)
            candidates = self._candidate_images(connection, case_id)
            comparable = bool(images and candidates and all(candidates))
            if comparable:
                for number in range(1, len(candidates) + 1):
                    note_view(connection, case_id, number, adjudicator)
            else:
                self._close(connection, case_id, CaseOutcome.CANNOT_TELL)
        if not comparable:
            self.finish(case_id)
            raise ReviewCaseUnknown(
                "there is nothing to compare any more, since pictures were deleted meanwhile: the "
                "person is asked for another capture"
            )
        return CaseView(case, enrollment.kind, images, candidates)

    def vote(self, case_id: str, adjudicator: str, verdict: Verdict) -> Case:
        """Take a vote; the one that decides is carried out at once.

        Returns:
            The review with this vote; its outcome, if it has one now.

        Raises:
            ReviewCaseUnknown: there is none of this id.
            AdjudicatorMayNotVote: did not look, or voted already, or it is decided.
            GalleryUnavailable, GalleryClosed, EnrollmentStoreUnavailable: the vote stands if it
                was taken, and `finish_all` carries it out.
        """
        _require_name(adjudicator)
        with self._store.database.write() as connection:
            case = read_case(connection, case_id, lock=True)
            case = add_vote(connection, case, adjudicator, verdict)
            if case.outcome is not None:
                self._close(connection, case_id, case.outcome)
        if case.outcome is not None:
            self.finish(case_id)
        return case

    def finish_all(self) -> None:
        """Carry out what was decided and, for a crash, not carried out."""
        for enrollment in self._store.of_status(EnrollmentStatus.ADJUDICATION):
            self.finish(enrollment.id)

    def finish(self, case_id: str) -> None:
        """Carry out a decided review; does nothing with one that is open, or done."""
        with self._store.database.read() as connection:
            enrollment = read(connection, case_id)
            if enrollment is None or enrollment.status is not EnrollmentStatus.ADJUDICATION:
                return
            outcome = read_case(connection, case_id).outcome
            persons = self._store.kept.candidates(connection, case_id)
            probe = self._store.kept.probe(connection, case_id)
        if outcome is None:
            return
        if enrollment.kind is EnrollmentKind.RECOVERY:
            self._finish_recovery(enrollment, outcome, persons)
        elif outcome is CaseOutcome.DIFFERENT and probe is not None:
            # With a space, as no kiosk's idempotency key: nobody else can have asked under it.
            found = self._enroll(probe, f"adjudicated {case_id}", despite=persons)
            self._store.settle(enrollment, STATUS[found.decision], found.person)
        else:
            same = outcome is CaseOutcome.SAME
            status = EnrollmentStatus.DUPLICATE if same else EnrollmentStatus.REVIEW
            self._store.settle(enrollment, status)

    def comparable(self, request_kind: EnrollmentKind, persons: Sequence[int]) -> bool:
        """Whether there are pictures of everybody whom somebody is like.

        Who comes to recover has to be like one person alone: a vote names nobody.
        """
        if not persons or (request_kind is EnrollmentKind.RECOVERY and len(persons) > 1):
            return False
        with self._store.database.write() as connection:
            holdings = [self._store.persons.holding_of(connection, p) for p in persons]
            return all(
                h and self._store.kept.has_images(connection, h.enrollment_id) for h in holdings
            )

    def _close(self, connection: Connection, case_id: str, outcome: CaseOutcome) -> None:
        """Write down how a review ended, also for the public."""
        close_case(connection, case_id, outcome)
        self._store.journal.record(connection, Kind.ADJUDICATION, reason=outcome.value)

    def _finish_recovery(
        self, enrollment: Enrollment, outcome: CaseOutcome, persons: Sequence[int]
    ) -> None:
        status = EnrollmentStatus.REVIEW
        if outcome is CaseOutcome.DIFFERENT:
            status = EnrollmentStatus.NOT_FOUND
        elif outcome is CaseOutcome.SAME:
            try:
                self._recoveries.replace(enrollment, persons[0])
            except RecoveryTooSoon:
                pass  # since the review began: it is for the person to try again
            else:
                return
        self._store.settle(enrollment, status)

    def _candidate_images(
        self, connection: Connection, case_id: str
    ) -> tuple[tuple[bytes, ...], ...]:
        """Pictures of each candidate who is still enrolled."""
        found = []
        for person in self._store.kept.candidates(connection, case_id):
            holding = self._store.persons.holding_of(connection, person)
            if holding is not None:
                found.append(self._store.kept.images(connection, holding.enrollment_id))
        return tuple(found)


def _require_name(adjudicator: str) -> None:
    if not 1 <= len(adjudicator) <= _MAX_NAME or not adjudicator.isprintable():
        raise AdjudicatorNameInvalid(f"an adjudicator's name has 1 to {_MAX_NAME} characters")
