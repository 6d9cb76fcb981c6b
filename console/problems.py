"""Errors of the console as pages: each has its status in one place."""

from http import HTTPStatus
from typing import Final

from console import errors
from enrollment.errors import AdjudicationError
from enrollment.problems import status_of as enrollment_status_of

STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    errors.SignInRequired: HTTPStatus.UNAUTHORIZED,
    errors.SignInRefused: HTTPStatus.UNAUTHORIZED,
    errors.TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ConfirmationRequired: HTTPStatus.FORBIDDEN,
    errors.RoleRefused: HTTPStatus.FORBIDDEN,
    errors.FormForged: HTTPStatus.FORBIDDEN,
    errors.FormInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.OperatorInvitationInvalid: HTTPStatus.FORBIDDEN,
    errors.PasswordTooWeak: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PasskeyRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.OperatorNameTaken: HTTPStatus.CONFLICT,
    errors.OperatorUnknown: HTTPStatus.NOT_FOUND,
    errors.ReportFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    AdjudicationError: HTTPStatus.CONFLICT,
    errors.AddressRefused: HTTPStatus.MISDIRECTED_REQUEST,
}

TITLES: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "Sign in again",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.CONFLICT: "Taken",
    HTTPStatus.MISDIRECTED_REQUEST: "Another address",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something is missing",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many attempts",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now",
}


def status_of(error: Exception) -> int | None:
    """Find an error's status, or None if it must not be told to the outside."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind].value
    status = enrollment_status_of(type(error))
    return None if status is None else status.value
