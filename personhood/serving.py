"""The service at its address: alone, or as one of several of which one decides.

Several may run on one database. One of them owns it; each other one is a standby, which has its
models loaded, answers `service_standby`, and takes over when the owner's process ends or loses
its lock. A balancer sends requests to the one whose /v1/health answers 200.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response, status
from starlette.types import ASGIApp, Receive, Scope, Send

from enrollment.errors import ServiceStandby
from enrollment.requests import install_problem_handlers, request_id_of
from personhood.app import open_service
from personhood.errors import OwnershipLost
from personhood.http_protocol import BoundedHttp
from personhood.settings import Settings
from personhood.tls import TlsFiles
from uniqueness.errors import GalleryOwned

_log = structlog.get_logger("personhood")


@dataclass(frozen=True)
class Address:
    """Where to listen.

    Args:
        host: name or address.
        port: TCP port.
        tls: certificate and key; None serves http.
    """

    host: str
    port: int
    tls: TlsFiles | None = None


class Switch:
    """An ASGI application that is another one from some moment on."""

    def __init__(self, first: ASGIApp) -> None:
        self._now = first

    def turn(self, app: ASGIApp) -> None:
        """Be this one from now on."""
        self._now = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._now(scope, receive, send)


def serve(settings: Settings, address: Address, *, standby: bool) -> None:
    """Run the service until it is interrupted.

    Raises:
        OwnershipLost: its lock broke. It decides no more; started anew it is a standby or owner.
        PersonhoodError, EnrollmentError, UniquenessError: see `open_service`.
    """
    app = Switch(create_standby())
    tls = address.tls
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=address.host,
            port=address.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=BoundedHttp,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
    )
    lost = threading.Event()

    def lose() -> None:
        app.turn(create_standby())
        lost.set()
        server.should_exit = True

    if standby:
        with _taking_over(settings, app, server, lose):
            server.run()
    else:
        with open_service(settings, on_lost=lose) as service:
            app.turn(service)
            server.run()
    if lost.is_set():
        raise OwnershipLost(
            "the connection to the database broke that made this the one service: start it again"
        )


@contextmanager
def _taking_over(
    settings: Settings, app: Switch, server: uvicorn.Server, lose: Callable[[], None]
) -> Iterator[None]:
    """Open the service beside the block as soon as nobody else owns the database."""
    stop, faults = threading.Event(), list[Exception]()

    def own() -> None:
        try:
            with open_service(settings, stop=stop, on_lost=lose) as service:
                app.turn(service)
                _log.info("this service decides from now on")
                stop.wait()
        except Exception as fault:
            if isinstance(fault, GalleryOwned) and stop.is_set():
                return  # stopped before its turn came
            faults.append(fault)  # told by the main thread
            server.should_exit = True

    owner = threading.Thread(target=own, name="service-owner")
    owner.start()
    try:
        yield
    finally:
        stop.set()
        owner.join()
    if faults:
        raise faults[0]


def create_standby() -> FastAPI:
    """What answers while another service decides."""
    app = FastAPI(title="personhood enrolment, standby", docs_url=None, redoc_url=None)
    install_problem_handlers(app)

    @app.get("/v1/health")
    async def health(request: Request, response: Response) -> dict[str, str]:
        """Tell that this one decides nothing."""
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return {"status": "standby", "request_id": request_id_of(request)}

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def anything() -> None:
        """Send away whoever asks for more."""
        raise ServiceStandby("Another service decides at the moment. Send the same request again.")

    return app
