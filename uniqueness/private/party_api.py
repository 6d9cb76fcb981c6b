"""A party over HTTPS: `POST /v1/OPERATION` with a message of `uniqueness.private.messages`.

TLS takes nobody whose certificate is not in the circle; the certificate then says who calls, and
what the caller may ask. A body is measured before it is read as anything. What fails is answered
with problem details (RFC 9457) whose `code` is the error's. No share, no name of a batch and no
number is logged.
"""

import asyncio
import ssl
import time
from http import HTTPStatus
from typing import Any, Final

import structlog
import uvicorn
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from uniqueness.errors import (
    EngineFailed,
    GalleryUnavailable,
    PartyRefused,
    PartyUnavailable,
    PrivateMatchingError,
    UniquenessError,
)
from uniqueness.private.messages import OPERATIONS, Message
from uniqueness.private.protocol import PartyLike
from uniqueness.private.trust import Circle

_log = structlog.get_logger("uniqueness.party")
_PROBLEM: Final = "application/problem+json"
_CERTIFICATE: Final = "personhood.certificate"  # in a request's scope: DER
_STATUS: Final[dict[type[UniquenessError], HTTPStatus]] = {
    PartyRefused: HTTPStatus.FORBIDDEN,
    EngineFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    PartyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    GalleryUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    PrivateMatchingError: HTTPStatus.CONFLICT,
    UniquenessError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def create_party_app(party: PartyLike, circle: Circle) -> FastAPI:
    """Create the application of one party."""
    callers = {
        ssl.PEM_cert_to_DER_cert(pem): caller for caller, pem in enumerate(circle.certificates)
    }
    app = FastAPI(title="personhood party", version="1", docs_url=None, redoc_url=None)

    @app.post("/v1/{operation}")
    async def operate(operation: str, request: Request) -> Response:
        """Put a message to the party."""
        begun = time.monotonic()
        caller = callers.get(request.scope.get(_CERTIFICATE, b""))
        try:
            message = await _read(operation, request, circle.dimension)
            if caller is None or not message.may_be_sent(caller, party.index):
                raise PartyRefused("this certificate may not ask that of this party")
            answer = await to_thread.run_sync(message.put_to, party)
        except UniquenessError as error:
            _log.warning("refused", operation=operation, caller=caller, code=error.code)
            return _problem(error)
        seconds = round(time.monotonic() - begun, 3)
        _log.info("done", operation=operation, caller=caller, seconds=seconds)
        content = TypeAdapter(type(answer)).dump_json(answer)
        return Response(content, media_type="application/json")

    return app


class PartyServer:
    """Serves a party until it is told to stop.

    Args:
        app: of `create_party_app`.
        context: TLS that takes the circle's certificates and no others.
        host, port: to listen at; port 0 is any that is free.
    """

    def __init__(self, app: FastAPI, context: ssl.SSLContext, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host,
            port,
            http=_PinnedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
        config.load()
        config.ssl = context
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve; returns after `stop`, or when the process is interrupted."""
        self._server.run()

    def stop(self) -> None:
        """Have `run` return, from whatever thread."""
        self._server.should_exit = True

    @property
    def port(self) -> int | None:
        """That it listens at; None before it does."""
        if not self._server.started:
            return None
        return int(self._server.servers[0].sockets[0].getsockname()[1])


class _PinnedProtocol(H11Protocol):
    """HTTP/1.1 that tells the application whose certificate a connection showed."""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        shown = transport.get_extra_info("ssl_object")
        certificate = shown.getpeercert(binary_form=True) if shown is not None else None
        inner: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_CERTIFICATE] = certificate or b""
            await inner(scope, receive, send)

        self.app = app


async def _read(operation: str, request: Request, dimension: int) -> Message:
    kind = OPERATIONS.get(operation)
    if kind is None:
        raise PartyRefused("there is no such operation; are all of one version?")
    limit, body = kind.longest(dimension), bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise PartyRefused(f"a message of this kind has at most {limit} bytes")
    try:
        return kind.model_validate_json(bytes(body))
    except ValidationError:
        raise PartyRefused("this is no message of this kind; are all of one version?") from None


def _problem(error: UniquenessError) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    problem: dict[str, Any] = {
        "type": f"urn:personhood:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status.value,
        "code": error.code,
        "detail": str(error),
    }
    content = TypeAdapter(dict[str, Any]).dump_json(problem)
    return Response(content, status.value, media_type=_PROBLEM)
