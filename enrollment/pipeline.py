"""Enrolment from photographs to an answer: the whole flow, in the order of the protocol."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from enrollment.adjudication import STATUS, AdjudicationService
from enrollment.capture import wiped
from enrollment.deletion import DeletionService
from enrollment.errors import (
    CaptureRejected,
    CommitmentAlreadyEnrolled,
    FaceRejected,
    RecoveryTooSoon,
)
from enrollment.examination import Examined, Examiner
from enrollment.kept import Consent, Keepsakes
from enrollment.membership import MembershipChange
from enrollment.pose import Pose
from enrollment.recovery import Recoveries
from enrollment.replay import ReplayGuard
from enrollment.rows import Enrollment, EnrollmentKind, EnrollmentRequest, EnrollmentStatus
from enrollment.store import EnrollmentStore
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.gallery import Gallery
from uniqueness.template import Probe

RECOVERY_DAYS: Final = 90  # between two recoveries of one person, at least

_TO_BE_TRIED_AGAIN = (EnrollmentStatus.REVIEW, EnrollmentStatus.NOT_FOUND)
_LOCKS = 64


class EnrollmentService:
    """Enrols people; safe to call from many threads.

    Args:
        examiner: makes templates of the gallery's models.
        gallery: open.
        store: of enrolments. What a crash left undone in it is settled here, at once: so only
            one service may run on a database, and its maker holds an `Ownership` of it.
        replay: refuses photographs that were decided before; None takes them.
        recovery_days: between two recoveries of one person, at least.

    Attributes:
        adjudication: lets people decide reviews.
        deletion: forgets people who ask for it.
    """

    def __init__(
        self,
        examiner: Examiner,
        gallery: Gallery,
        store: EnrollmentStore,
        replay: ReplayGuard | None = None,
        *,
        recovery_days: int = RECOVERY_DAYS,
    ) -> None:
        self._examiner = examiner
        self._replay = replay
        self._gallery = gallery
        self._store = store
        self._recoveries = Recoveries(store, recovery_days)
        self.adjudication = AdjudicationService(
            store, self._recoveries, gallery.identify_and_enroll
        )
        self.deletion = DeletionService(store, gallery)
        # A commitment is worked on by one request at a time: each has one of these locks.
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self.recover()

    @property
    def model(self) -> str:
        """The model whose templates are compared."""
        return self._gallery.model

    @property
    def is_open(self) -> bool:
        """Whether enrolments can be decided."""
        return self._gallery.is_open

    def has(self, idempotency_key: str) -> bool:
        """Whether a request of this key was taken in before."""
        return self._store.has(idempotency_key)

    def enroll(
        self, request: EnrollmentRequest, frames: Sequence[bytes], poses: Sequence[Pose]
    ) -> Enrollment:
        """Enrol one person, or give one who was enrolled another wallet, or say why not.

        Args:
            request: its key, the digest of its body, the wallet's proven commitment, and what the
                person came for and agreed to. The same request again gets the same answer and
                enrols nobody twice.
            frames: photographs as JPEG, PNG or WebP bytes.
            poses: what they have to show, one each.

        Returns:
            The enrolment, with any status but PENDING and DELETING.

        Raises:
            IdempotencyKeyReused, CommitmentAlreadyEnrolled: refused before the face is looked at.
            CaptureRejected, FaceRejected: the photographs do not show one usable face as asked.
            RecoveryTooSoon: the person's wallet was replaced lately; nothing was changed.
            GalleryUnavailable, GalleryClosed, EnrollmentStoreUnavailable: no decision; the same
                request may be sent again.
        """
        if answered := self._store.answered(request):
            return answered
        with self._rejection_counted(request):
            keeps = bool(request.consents)
            examined = self._examiner.examine(  # 1 to 4
                frames, poses, portraits=keeps, mirrors=self._replay is not None
            )
        with wiped(*(pixels for frame in examined.frames for pixels in frame.pixels)):
            if self._replay:
                with self._rejection_counted(request):
                    self._replay.require_fresh(examined.frames)
            return self._decide(request, examined)

    def _decide(self, request: EnrollmentRequest, examined: Examined) -> Enrollment:
        """Steps 5 to 8: reserve, identify and enrol, settle; then remember the frames."""
        probe = Probe(examined.templates)
        with self._locks[request.commitment % _LOCKS]:
            enrollment = self._reserve(request, Keepsakes(examined.portraits, probe))  # 5
            if enrollment.status is not EnrollmentStatus.PENDING:
                return enrollment
            if enrollment.kind is EnrollmentKind.RECOVERY:
                settled = self._settle_recovery(enrollment, probe, request)
            else:
                found = self._gallery.identify_and_enroll(  # 6; 8 commits, and takes it along
                    probe, request.idempotency_key, hasty=True
                )
                settled = self._settle(enrollment, found, probe)  # 7, 8
        if self._replay:
            again_soon = settled.status in _TO_BE_TRIED_AGAIN
            self._replay.remember(examined.frames, again_soon=again_soon)
        return settled

    def recover(self) -> None:
        """Settle what was under way when the service last stopped."""
        self._store.log_earlier_acceptances()
        for enrollment in self._store.pending():
            self._settle_by_verdict(enrollment)
        self.adjudication.finish_all()
        self.deletion.finish_all()

    def find(self, enrollment_id: str) -> Enrollment | None:
        """Look up how an enrolment went."""
        return self._store.get(enrollment_id)

    def accepted_commitments(self) -> list[int]:
        """List accepted identity commitments in the order in which they are to be published."""
        return self._store.accepted_commitments()

    def removals(self) -> list[MembershipChange]:
        """List removals in the order in which they are to be published."""
        return self._store.history.removals()

    def membership_changes(self, after: int = 0) -> list[MembershipChange]:
        """List additions and removals, in order, beyond a sequence number."""
        return self._store.history.changes(after)

    @contextmanager
    def _rejection_counted(self, request: EnrollmentRequest) -> Iterator[None]:
        """Log a photograph that is refused by the code of its reason, and keep nothing else."""
        try:
            yield
        except (CaptureRejected, FaceRejected) as rejection:
            self._gallery.record_rejection(rejection.code)
            self._store.record_rejection(rejection.code, request.kiosk_id)
            raise

    def _reserve(self, request: EnrollmentRequest, keepsakes: Keepsakes) -> Enrollment:
        """Take the commitment; first settle a request that had it and failed on the way."""
        try:
            return self._store.reserve(request, keepsakes)
        except CommitmentAlreadyEnrolled:
            holder = self._store.holder(request.commitment)
            if holder is None or holder.status is not EnrollmentStatus.PENDING:
                raise
        self._settle_by_verdict(holder)
        return self._store.reserve(request, keepsakes)

    def _settle(
        self, enrollment: Enrollment, found: Identification, probe: Probe | None
    ) -> Enrollment:
        """Give an enrolment the status that the gallery's decision means."""
        if found.decision is Decision.REVIEW and probe and Consent.REVIEW in enrollment.consents:
            candidates = [candidate.person for candidate in self._gallery.candidates(probe)]
            if self.adjudication.comparable(enrollment.kind, candidates):
                return self._store.adjudicate(enrollment, candidates)
        return self._store.settle(enrollment, STATUS[found.decision], found.person)

    def _settle_recovery(
        self, enrollment: Enrollment, probe: Probe, request: EnrollmentRequest
    ) -> Enrollment:
        """Let a match be the way in; the gallery is only asked, so this may be done again."""
        found = self._gallery.identify(probe)
        try:
            if found.decision is Decision.REVIEW:
                return self._settle(enrollment, found, probe)
            if found.decision is Decision.DUPLICATE and found.person is not None:
                return self._recoveries.replace(enrollment, found.person)
        except RecoveryTooSoon as refusal:
            self._store.discard(enrollment)
            self._store.record_rejection(refusal.code, request.kiosk_id)
            raise
        return self._store.settle(enrollment, EnrollmentStatus.NOT_FOUND)

    def _settle_by_verdict(self, enrollment: Enrollment) -> None:
        """Settle a request that broke off; one that changed nothing is as if it never came."""
        found = self._gallery.verdict(enrollment.idempotency_key)
        if found is None or enrollment.kind is EnrollmentKind.RECOVERY:
            self._store.discard(enrollment)
        else:
            self._settle(enrollment, found, self._store.probe_of(enrollment))
