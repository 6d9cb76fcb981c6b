"""Every way an enrolment can end without a decision.

An outcome (accepted, duplicate, review) is a value; these say that there is none.
`enrollment.problems` gives each its HTTP status.

    EnrollmentError
    ├── RequestError                  the request itself
    │   ├── KioskUnauthorized         who sends it
    │   │   ├── SignatureMissing
    │   │   ├── SignatureInvalid
    │   │   ├── SignatureExpired
    │   │   ├── ClockSkewed
    │   │   └── RequestReplayed
    │   ├── KioskForbidden
    │   │   ├── KioskUnknown
    │   │   ├── KioskRevoked
    │   │   └── InvitationInvalid
    │   ├── TooManyRequests
    │   ├── SessionUnknown
    │   ├── SessionExpired
    │   ├── UnsupportedMediaType
    │   ├── RequestTooLarge
    │   ├── MalformedRequest
    │   ├── IdempotencyKeyReused
    │   ├── CommitmentAlreadyEnrolled
    │   ├── ChallengeInvalid
    │   ├── WalletNotEnrolled
    │   ├── EnrollmentUnknown
    │   ├── EnrollmentUndecided
    │   └── RecoveryTooSoon
    ├── CaptureRejected               the bytes are no photograph that we take
    │   ├── ImageEmpty
    │   ├── ImageTooLarge
    │   ├── ImageUnsupported
    │   ├── ImageTruncated
    │   └── ImageTooManyPixels
    ├── FaceRejected                  the photograph does not show one usable face
    │   ├── NoFace
    │   ├── MultipleFaces
    │   ├── QualityRejected
    │   │   ├── FaceTooSmall
    │   │   ├── FaceTurned
    │   │   ├── FaceTooDark
    │   │   ├── FaceTooBright
    │   │   ├── FaceLowContrast
    │   │   ├── FaceBlurred
    │   │   └── FaceCovered
    │   ├── PoseNotShown              the frames together
    │   ├── PosesMirrored
    │   ├── FramesInconsistent
    │   ├── PresentationAttackSuspected
    │   ├── FrameReused
    │   └── FrameMirrored
    ├── ServiceBusy                   too many at once; the same request may be retried
    ├── ServiceStandby                another service decides; the same request may be retried
    ├── ModelPackError                the models on this machine; never on the wire
    │   ├── ModelPackUnknown
    │   ├── ModelPackInvalid
    │   ├── ModelPackMissing
    │   ├── ModelPackDownloadFailed
    │   └── ModelDigestMismatch
    ├── KioskPageIncomplete           a file of the page is not installed, for operators
    ├── KioskNameTaken                told to operators, never on the wire
    ├── AdjudicationError             told to adjudicators, never to kiosks
    │   ├── ReviewCaseUnknown
    │   ├── AdjudicatorMayNotVote
    │   └── AdjudicatorNameInvalid
    ├── ReceiptInvalid                not signed by this service
    └── EnrollmentStoreUnavailable    the database; the same request may be retried
"""

from typing import ClassVar


class EnrollmentError(Exception):
    """Base of all errors of this package; `code` is stable and goes on the wire."""

    code: ClassVar[str] = "enrollment_error"


class RequestError(EnrollmentError):
    """Base of the errors of a request, found before its photograph is looked at."""

    code = "request_error"


class KioskUnauthorized(RequestError):
    """Base of the errors of a signature (RFC 9421)."""

    code = "kiosk_unauthorized"


class SignatureMissing(KioskUnauthorized):
    """The request is not signed, or its signature covers too little of it."""

    code = "signature_missing"


class SignatureInvalid(KioskUnauthorized):
    """The signature is not the kiosk's over this request."""

    code = "signature_invalid"


class SignatureExpired(KioskUnauthorized):
    """The request came after its signature's end."""

    code = "signature_expired"


class ClockSkewed(KioskUnauthorized):
    """The kiosk's clock is wrong, for its genuine signature was made at no possible time."""

    code = "clock_skewed"


class RequestReplayed(KioskUnauthorized):
    """A signed request came twice."""

    code = "request_replayed"


class KioskForbidden(RequestError):
    """Base of the errors of registration."""

    code = "kiosk_forbidden"


class KioskUnknown(KioskForbidden):
    """No kiosk has this id or name."""

    code = "kiosk_unknown"


class KioskRevoked(KioskForbidden):
    """The operator took the kiosk's right to enrol."""

    code = "kiosk_revoked"


class InvitationInvalid(KioskForbidden):
    """The one-time code is unknown, used or expired, or the key is unusable."""

    code = "invitation_invalid"


class KioskNameTaken(EnrollmentError):
    """The name for a new kiosk is in use, or is none."""

    code = "kiosk_name_taken"


class AdjudicationError(EnrollmentError):
    """Base of the errors of a review, for adjudicators."""

    code = "adjudication_error"


class ReviewCaseUnknown(AdjudicationError):
    """No review has this id, or it is over."""

    code = "review_case_unknown"


class AdjudicatorMayNotVote(AdjudicationError):
    """This adjudicator voted already, or did not look."""

    code = "adjudicator_may_not_vote"


class AdjudicatorNameInvalid(AdjudicationError):
    """The name cannot be written down."""

    code = "adjudicator_name_invalid"


class TooManyRequests(RequestError):
    """A kiosk or an address asks faster than any person does."""

    code = "too_many_requests"


class SessionUnknown(RequestError):
    """No session of this kiosk has this id."""

    code = "session_unknown"


class SessionExpired(RequestError):
    """The session's time is over, or its enrolment was decided."""

    code = "session_expired"


class UnsupportedMediaType(RequestError):
    """The body is not application/json."""

    code = "unsupported_media_type"


class RequestTooLarge(RequestError):
    """The body is longer than any photograph that we take."""

    code = "request_too_large"


class MalformedRequest(RequestError):
    """The body is not the JSON object that the API describes."""

    code = "malformed_request"


class IdempotencyKeyReused(RequestError):
    """The key came before with another commitment or photograph."""

    code = "idempotency_key_reused"


class CommitmentAlreadyEnrolled(RequestError):
    """The identity commitment belongs to an enrolment already, or did."""

    code = "commitment_already_enrolled"


class ChallengeInvalid(RequestError):
    """The challenge is none that this service gave within the last minutes."""

    code = "challenge_invalid"


class WalletNotEnrolled(RequestError):
    """Nobody is enrolled with this wallet, or not any more."""

    code = "wallet_not_enrolled"


class EnrollmentUnknown(RequestError):
    """No enrolment has this id, or not any more."""

    code = "enrollment_unknown"


class EnrollmentUndecided(RequestError):
    """The enrolment is being decided, so it cannot be deleted at this moment."""

    code = "enrollment_undecided"


class RecoveryTooSoon(RequestError):
    """The person's wallet was replaced lately."""

    code = "recovery_too_soon"


class CaptureRejected(EnrollmentError):
    """Base of the errors of decoding."""

    code = "capture_rejected"


class ImageEmpty(CaptureRejected):
    """There are no bytes."""

    code = "image_empty"


class ImageTooLarge(CaptureRejected):
    """The file has more bytes than the limit."""

    code = "image_too_large"


class ImageUnsupported(CaptureRejected):
    """The bytes are not JPEG, PNG or WebP."""

    code = "image_unsupported"


class ImageTruncated(CaptureRejected):
    """The file ends early or is damaged."""

    code = "image_truncated"


class ImageTooManyPixels(CaptureRejected):
    """The header announces more pixels than the limit."""

    code = "image_too_many_pixels"


class FaceRejected(EnrollmentError):
    """Base of the errors of the face in a sound photograph."""

    code = "face_rejected"


class NoFace(FaceRejected):
    """The detector found nobody."""

    code = "no_face"


class MultipleFaces(FaceRejected):
    """More than one person is in front of the camera."""

    code = "multiple_faces"


class QualityRejected(FaceRejected):
    """Base of the errors of quality; the first reason found is raised."""

    code = "quality_rejected"


class FaceTooSmall(QualityRejected):
    """Too few pixels between the eyes."""

    code = "face_too_small"


class FaceTooDark(QualityRejected):
    """Too little light on the face."""

    code = "face_too_dark"


class FaceTooBright(QualityRejected):
    """The face is overexposed."""

    code = "face_too_bright"


class FaceBlurred(QualityRejected):
    """The face is out of focus or moved."""

    code = "face_blurred"


class FaceTurned(QualityRejected):
    """The head is turned, raised, lowered or tilted too far."""

    code = "face_turned"


class FaceLowContrast(QualityRejected):
    """The face has too few shades of grey: fog, backlight, a dirty lens."""

    code = "face_low_contrast"


class FaceCovered(QualityRejected):
    """Something hides the eyes, or the nose and mouth."""

    code = "face_covered"


class PoseNotShown(FaceRejected):
    """A frame does not show the pose that the challenge asked for."""

    code = "pose_not_shown"


class PosesMirrored(FaceRejected):
    """Every frame shows its pose, were left and right exchanged: the pictures are mirrored."""

    code = "poses_mirrored"


class FramesInconsistent(FaceRejected):
    """The frames of one session do not show one person."""

    code = "frames_inconsistent"


class PresentationAttackSuspected(FaceRejected):
    """The frames look like a picture of a face and not like a face."""

    code = "presentation_attack_suspected"


class FrameReused(FaceRejected):
    """The photograph, or nearly the same one, was sent before."""

    code = "frame_reused"


class FrameMirrored(FaceRejected):
    """The photograph is the mirror image of one that was sent before, or of one beside it."""

    code = "frame_mirrored"


class ServiceBusy(EnrollmentError):
    """The queue is full, or the service is closing; the same request may be retried."""

    code = "service_busy"


class ServiceStandby(EnrollmentError):
    """Another service on this database decides; the same request may be retried, there or here."""

    code = "service_standby"


class ModelPackError(EnrollmentError):
    """Base of the errors of model packs, for operators."""

    code = "model_pack_error"


class ModelPackUnknown(ModelPackError):
    """No pack of that name, and no directory with a manifest."""

    code = "model_pack_unknown"


class ModelPackInvalid(ModelPackError):
    """The manifest does not describe a pack."""

    code = "model_pack_invalid"


class ModelPackMissing(ModelPackError):
    """The models are not on this machine yet."""

    code = "model_pack_missing"


class ModelPackDownloadFailed(ModelPackError):
    """The carrier package could not be fetched, or lacks the model."""

    code = "model_pack_download_failed"


class ModelDigestMismatch(ModelPackError):
    """A file is not the one that the manifest pins."""

    code = "model_digest_mismatch"


class KioskPageIncomplete(EnrollmentError):
    """A library or model that the kiosk page loads is not on this machine."""

    code = "kiosk_page_incomplete"


class EnrollmentStoreUnavailable(EnrollmentError):
    """The database failed; nothing is lost and the same request may be retried."""

    code = "enrollment_store_unavailable"


class ReceiptInvalid(EnrollmentError):
    """A receipt that this service did not sign, or that was changed."""

    code = "receipt_invalid"
