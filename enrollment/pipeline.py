"""Enrolment from photographs to an answer: the whole flow, in the order of the protocol."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from enrollment.capture import wiped
from enrollment.errors import CaptureRejected, CommitmentAlreadyEnrolled, FaceRejected
from enrollment.examination import Examined, Examiner
from enrollment.pose import Pose
from enrollment.replay import ReplayGuard
from enrollment.store import Enrollment, EnrollmentRequest, EnrollmentStatus, EnrollmentStore
from uniqueness.decision import Decision
from uniqueness.gallery import Gallery
from uniqueness.template import Probe

_STATUS: Final = {
    Decision.UNIQUE: EnrollmentStatus.ACCEPTED,
    Decision.DUPLICATE: EnrollmentStatus.DUPLICATE,
    Decision.REVIEW: EnrollmentStatus.REVIEW,
}
_LOCKS = 64


class EnrollmentService:
    """Enrols people; safe to call from many threads.

    Args:
        examiner: makes templates of the gallery's models.
        gallery: open.
        store: of enrolments. What a crash left pending in it is settled here, at once: so only
            one service may run on a database, and its maker holds an `Ownership` of it.
        replay: refuses photographs that were decided before; None takes them.
    """

    def __init__(
        self,
        examiner: Examiner,
        gallery: Gallery,
        store: EnrollmentStore,
        replay: ReplayGuard | None = None,
    ) -> None:
        self._examiner = examiner
        self._replay = replay
        self._gallery = gallery
        self._store = store
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

    def enroll(
        self, request: EnrollmentRequest, frames: Sequence[bytes], poses: Sequence[Pose]
    ) -> Enrollment:
        """Enrol one person, or say why not.

        Args:
            request: its key, the digest of its body, and the wallet's proven commitment. The same
                request again gets the same answer and enrols nobody twice.
            frames: photographs as JPEG, PNG or WebP bytes.
            poses: what they have to show, one each.

        Returns:
            The enrolment, ACCEPTED, DUPLICATE or REVIEW.

        Raises:
            IdempotencyKeyReused, CommitmentAlreadyEnrolled: refused before the face is looked at.
            CaptureRejected, FaceRejected: the photographs do not show one usable face as asked.
            GalleryUnavailable, GalleryClosed, EnrollmentStoreUnavailable: no decision; the same
                request may be sent again.
        """
        if answered := self._answered_before(request):
            return answered
        with self._rejection_counted(request):
            examined = self._examiner.examine(frames, poses)  # 1 to 4
        with wiped(*(frame.face.pixels for frame in examined.frames)):
            if self._replay:
                with self._rejection_counted(request):
                    self._replay.require_fresh(examined.frames)
            return self._decide(request, examined)

    def _decide(self, request: EnrollmentRequest, examined: Examined) -> Enrollment:
        """Steps 5 to 8: reserve, identify and enrol, settle; then remember the frames."""
        with self._locks[request.commitment % _LOCKS]:
            enrollment = self._reserve(request)  # 5
            if enrollment.status is not EnrollmentStatus.PENDING:
                return enrollment
            probe = Probe(examined.templates)
            found = self._gallery.identify_and_enroll(probe, request.idempotency_key)  # 6
            settled = self._store.settle(enrollment, _STATUS[found.decision])  # 7, 8
        if self._replay:
            again_soon = settled.status is EnrollmentStatus.REVIEW
            self._replay.remember(examined.frames, again_soon=again_soon)
        return settled

    def recover(self) -> None:
        """Settle the enrolments that were under way when the service last stopped."""
        self._store.log_earlier_acceptances()
        for enrollment in self._store.pending():
            self._settle_by_verdict(enrollment)

    def accepted_commitments(self) -> list[int]:
        """List accepted identity commitments in the order in which they are to be published."""
        return self._store.accepted_commitments()

    @contextmanager
    def _rejection_counted(self, request: EnrollmentRequest) -> Iterator[None]:
        """Log a photograph that is refused by the code of its reason, and keep nothing else."""
        try:
            yield
        except (CaptureRejected, FaceRejected) as rejection:
            self._gallery.record_rejection(rejection.code)
            self._store.record_rejection(rejection.code, request.kiosk_id)
            raise

    def _answered_before(self, request: EnrollmentRequest) -> Enrollment | None:
        """Look up the answer this request got, before any work on its face."""
        known = self._store.find(request)
        if known is not None:
            return None if known.status is EnrollmentStatus.PENDING else known
        holder = self._store.holder(request.commitment)
        if holder is not None and holder.status is EnrollmentStatus.ACCEPTED:
            raise CommitmentAlreadyEnrolled(
                "This identity is enrolled already. Make a new identity in the wallet."
            )
        return None

    def _reserve(self, request: EnrollmentRequest) -> Enrollment:
        """Take the commitment; first settle a request that had it and failed on the way."""
        holder = self._store.holder(request.commitment)
        if holder is not None and holder.idempotency_key != request.idempotency_key:
            self._settle_by_verdict(holder)
        return self._store.reserve(request)

    def _settle_by_verdict(self, enrollment: Enrollment) -> None:
        found = self._gallery.verdict(enrollment.idempotency_key)
        if found is None:
            self._store.discard(enrollment)
        else:
            self._store.settle(enrollment, _STATUS[found.decision])
