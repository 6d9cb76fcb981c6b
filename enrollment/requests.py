"""Around every request: an id, one log line without personal data, and no bare exception."""

import time
import traceback
import uuid
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enrollment.errors import EnrollmentError, MalformedRequest
from enrollment.problems import (
    MEDIA_TYPE,
    RETRY_AFTER,
    RETRY_AFTER_LIMIT,
    Problem,
    http_problem,
    internal_problem,
    problem_of,
)
from enrollment.signatures import TAG
from identity_proofs.errors import IdentityProofsError
from transparency.errors import TransparencyError
from uniqueness.errors import UniquenessError

_log = structlog.get_logger("enrollment")


@dataclass(frozen=True)
class RequestEnd:
    """How a request ended: nothing of what it held.

    Args:
        method: of HTTP.
        route: the pattern that took it, never its path; None where none did.
        status: that was answered, 0 where nothing was.
        code: of the error, if any.
        kiosk: the name of the kiosk that signed it, if one did.
        outcome: of an enrolment that was decided.
        seconds: from its beginning.
    """

    method: str
    route: str | None
    status: int
    code: str | None
    kiosk: str | None
    outcome: str | None
    seconds: float


class RequestLog:
    """ASGI middleware: names each request, logs its end, answers what nobody caught.

    Args:
        app: that serves.
        observe: told how each request ended.
    """

    def __init__(self, app: ASGIApp, observe: Callable[[RequestEnd], None] | None = None) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        started, status = time.perf_counter(), 0
        # Every line that is logged on behalf of this request names it.
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        except Exception as error:
            _log_fault(request_id, error)
            if status:
                raise  # half an answer is out; the server must break the connection
            state["code"] = "internal"
            await _response(internal_problem(request_id))(scope, receive, send_named)
        finally:
            end = RequestEnd(
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=status,
                code=state.get("code"),
                kiosk=state.get("kiosk"),
                outcome=state.get("outcome"),
                seconds=time.perf_counter() - started,
            )
            _log_end(request_id, end)
            if self._observe:
                self._observe(end)
            structlog.contextvars.reset_contextvars(**bound)


def install_problem_handlers(
    app: FastAPI, observe: Callable[[RequestEnd], None] | None = None
) -> None:
    """Answer every error as problem details, and log every request.

    Args:
        app: whose.
        observe: told how each request ended.
    """
    for tree in (EnrollmentError, UniquenessError, IdentityProofsError, TransparencyError):
        app.add_exception_handler(tree, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(RequestLog, observe=observe)


def request_id_of(request: Request) -> str:
    """Get the id that `RequestLog` gave to a request."""
    return str(request.state.request_id)


async def _known(request: Request, error: Exception) -> JSONResponse:
    problem = problem_of(error, request_id_of(request))
    if problem.status == 500:
        _log_fault(problem.request_id, error)
    return _answer(request, problem)


async def _invalid(request: Request, _: Exception) -> JSONResponse:
    error = MalformedRequest("A header or parameter is missing or malformed.")
    return _answer(request, problem_of(error, request_id_of(request)))


async def _http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(request, http_problem(status, request_id_of(request)))


def _answer(request: Request, problem: Problem) -> JSONResponse:
    request.state.code = problem.code
    return _response(problem)


def _response(problem: Problem) -> JSONResponse:
    headers = {
        401: {"WWW-Authenticate": f'Signature realm="{TAG}"'},
        429: {"Retry-After": str(RETRY_AFTER_LIMIT)},
        503: {"Retry-After": str(RETRY_AFTER)},
    }.get(problem.status)
    return JSONResponse(problem.as_json(), problem.status, headers, media_type=MEDIA_TYPE)


def _log_end(request_id: str, end: RequestEnd) -> None:
    _log.info(
        "request",
        request_id=request_id,
        method=end.method,
        route=end.route,
        status=end.status,
        code=end.code,
        milliseconds=round(end.seconds * 1000, 1),
    )


def _log_fault(request_id: str, error: BaseException) -> None:
    # Where it happened, not what it said: a message may quote what the request held.
    where = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    _log.error("fault", request_id=request_id, kind=kind, where=where)
