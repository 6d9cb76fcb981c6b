"""Errors on the wire: RFC 9457 problem details, and each error's HTTP status in one place."""

import secrets
from http import HTTPStatus
from traceback import extract_tb
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from distribution import errors
from identity_proofs.errors import IdentityProofsError, ProofError

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 5  # seconds, sent with each 503
_log = structlog.get_logger("distribution.http")

# An error has the status of its nearest base class here; one with none is a fault of ours.
STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    errors.RequestMalformed: HTTPStatus.BAD_REQUEST,
    errors.RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ClaimUnknown: HTTPStatus.NOT_FOUND,
    errors.ClaimConflict: HTTPStatus.CONFLICT,
    errors.FeeTooLow: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.FeeTooHigh: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AddressInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.AlreadyClaimed: HTTPStatus.CONFLICT,
    errors.EpochNotClaimable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ClaimsPaused: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ChainUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.JournalUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ProofError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def status_of(kind: type[BaseException]) -> HTTPStatus | None:
    """Find the status of an error class, or None if it must not be told to the outside."""
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), None)


class RequestLog:
    """Gives every request an id and one log line; no address and no claim is logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = identifier
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = (b"x-request-id", identifier.encode()), (b"cache-control", b"no-store")
                message["headers"] = [*message["headers"], *named]
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception as fault:
            # Where it happened, not what it said: a message may quote the request.
            frame = extract_tb(fault.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            _log.error("fault", request_id=identifier, kind=type(fault).__name__, where=where)
            if status:
                raise  # half an answer is out: the server must break the connection
            await _internal(Request(scope))(scope, receive, send_named)
        route = getattr(scope.get("route"), "path", None)
        _log.info("request", method=scope["method"], route=route, status=status)


def install_problem_handlers(app: Starlette) -> None:
    """Answer every error as problem details, and give every request an id and one log line."""
    for tree in (errors.DistributionError, IdentityProofsError):
        app.add_exception_handler(tree, _known)
    app.add_exception_handler(HTTPException, _routing)
    app.add_middleware(RequestLog)


async def _known(request: Request, error: Exception) -> Response:
    status = status_of(type(error))
    if status is None:
        code = getattr(error, "code", "internal")
        _log.error("fault", request_id=request.state.request_id, code=code)
        return _internal(request)
    wait = error.retry_after if isinstance(error, errors.TooManyRequests) else RETRY_AFTER
    retry = {"Retry-After": str(wait)} if status in {429, 503} else None
    return _problem(request, status, str(getattr(error, "code", "")), str(error), retry)


async def _routing(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    return _problem(request, status, status.phrase.lower().replace(" ", "_"), f"{status.phrase}.")


def _internal(request: Request) -> Response:
    detail = "The service failed. Send the same request again; a claim is taken once."
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def _problem(
    request: Request,
    status: HTTPStatus,
    code: str,
    detail: str,
    headers: dict[str, str] | None = None,
) -> Response:
    body = {
        "type": f"urn:personhood:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status.value,
        "code": code,
        "detail": detail,
        "request_id": request.state.request_id,
    }
    return JSONResponse(body, status.value, headers, media_type=MEDIA_TYPE)
