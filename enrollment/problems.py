"""Errors on the wire: RFC 9457 problem details, and each error's HTTP status in one place."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Final

from enrollment import errors
from identity_proofs.errors import InvalidStatement
from transparency.errors import LogRangeInvalid, LogUnavailable, NotWitnessed
from uniqueness.errors import GalleryClosed, GalleryUnavailable, PrivateMatchingError

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 2  # seconds, sent with each 503
RETRY_AFTER_LIMIT: Final = 10  # seconds, sent with each 429

# An error has the status of its nearest base class here; one with none is a fault of ours.
STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    errors.KioskUnauthorized: HTTPStatus.UNAUTHORIZED,
    errors.KioskForbidden: HTTPStatus.FORBIDDEN,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.SessionUnknown: HTTPStatus.NOT_FOUND,
    errors.SessionExpired: HTTPStatus.GONE,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.MalformedRequest: HTTPStatus.BAD_REQUEST,
    errors.IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.CommitmentAlreadyEnrolled: HTTPStatus.CONFLICT,
    errors.ChallengeInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.WalletNotEnrolled: HTTPStatus.NOT_FOUND,
    errors.EnrollmentUnknown: HTTPStatus.NOT_FOUND,
    errors.EnrollmentUndecided: HTTPStatus.CONFLICT,
    errors.RecoveryTooSoon: HTTPStatus.CONFLICT,
    errors.CaptureRejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ImageTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.FaceRejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.KioskPageIncomplete: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EnrollmentStoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ServiceBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ServiceStandby: HTTPStatus.SERVICE_UNAVAILABLE,
    GalleryUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    GalleryClosed: HTTPStatus.SERVICE_UNAVAILABLE,
    PrivateMatchingError: HTTPStatus.SERVICE_UNAVAILABLE,
    InvalidStatement: HTTPStatus.UNPROCESSABLE_ENTITY,
    LogRangeInvalid: HTTPStatus.NOT_FOUND,
    NotWitnessed: HTTPStatus.NOT_FOUND,
    LogUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True)
class Problem:
    """The body of an error answer; `code` is for programs, `detail` for the person."""

    status: int
    code: str
    detail: str
    request_id: str

    def as_json(self) -> dict[str, str | int]:
        """Give the members of RFC 9457, and `code` and `request_id`."""
        title = self.code.replace("_", " ").capitalize()
        return {"type": f"urn:personhood:problem:{self.code}", "title": title, **asdict(self)}


def status_of(kind: type[BaseException]) -> HTTPStatus | None:
    """Find the status of an error class, or None if it must not be told to the outside."""
    for base in kind.__mro__:
        if base in STATUS:
            return STATUS[base]
    return None


def problem_of(error: Exception, request_id: str) -> Problem:
    """Describe an error; of a fault of ours nothing is told but that it happened."""
    status = status_of(type(error))
    code = getattr(error, "code", None)
    if status is None or not isinstance(code, str):
        return internal_problem(request_id)
    return Problem(status.value, code, str(error), request_id)


def http_problem(status: int, request_id: str) -> Problem:
    """Describe a routing error, such as 404 or 405."""
    phrase = HTTPStatus(status).phrase
    return Problem(status, phrase.lower().replace(" ", "_"), f"{phrase}.", request_id)


def internal_problem(request_id: str) -> Problem:
    """Describe a fault of the service, which says nothing about the person."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR.value,
        "internal",
        "The service failed; nothing was decided about the person. Send the same request again, "
        "and tell the operator the request id if it keeps failing.",
        request_id,
    )
