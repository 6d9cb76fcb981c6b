"""The console's routes under /console/, put together; each group of pages is its own module."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from console.access import Access
from console.desk import ConsoleDesk
from console.errors import (
    AddressRefused,
    ConfirmationRequired,
    ConsoleError,
    FormInvalid,
    SignInRequired,
)
from console.pages import (
    account,
    activity,
    chain,
    joining,
    kiosks,
    operators,
    overview,
    receipts,
    report,
    reviews,
)
from console.pages import sign_in as sign_in_pages
from console.problems import TITLES, status_of
from console.rendering import FOLDER, HEADERS, Renderer
from enrollment.errors import EnrollmentError
from transparency.errors import TransparencyError
from uniqueness.errors import UniquenessError

STATIC: Final = {path.name: path for path in (FOLDER / "static").iterdir()}
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGES: Final = (
    sign_in_pages,
    joining,
    overview,
    reviews,
    kiosks,
    chain,
    receipts,
    report,
    activity,
    operators,
    account,
)

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def create_console_router(desk: ConsoleDesk) -> APIRouter:
    """Create the routes, for an application that has `enrollment.requests.RequestLog`."""
    render = Renderer(desk.clock)
    access = Access(desk)
    router = APIRouter(prefix="/console", include_in_schema=False, route_class=_route_class(render))
    for pages in _PAGES:
        pages.add_routes(router, desk, access, render)

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in STATIC:
            raise HTTPException(404)
        path: Path = STATIC[name]
        return FileResponse(path, media_type=_TYPES[path.suffix])

    @router.get("")
    async def redirect() -> Response:
        return RedirectResponse("/console/")

    @router.api_route("/{path:path}", methods=["GET", "POST"])
    async def nothing() -> Response:
        raise HTTPException(404)

    return router


def _route_class(render: Renderer) -> type[APIRoute]:
    """Make the class of routes whose errors are pages, and whose answers have the headers."""

    class ConsoleRoute(APIRoute):
        def get_route_handler(self) -> _Handler:
            handle = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    response = await handle(request)
                except (ConsoleError, EnrollmentError, TransparencyError, UniquenessError) as error:
                    response = _answer(render, request, error)
                except RequestValidationError:
                    invalid = FormInvalid("An address or a field cannot be used.")
                    response = _answer(render, request, invalid)
                except HTTPException as error:
                    response = render.page(
                        "problem.html",
                        getattr(request.state, "session", None),
                        error.status_code,
                        title="Not found",
                        detail="There is no such page.",
                    )
                for name, value in HEADERS.items():
                    response.headers.setdefault(name, value)
                return response

            return handler

    return ConsoleRoute


def _answer(render: Renderer, request: Request, error: Exception) -> Response:
    """Tell an error: as a page, to a script as JSON, or by leading to where it is put right."""
    status = status_of(error)
    if status is None:
        raise error
    code = str(getattr(error, "code", ""))
    request.state.code = code
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"code": code, "detail": str(error)}, status)
    is_read = request.method == "GET"
    if isinstance(error, AddressRefused) and error.correct and is_read:
        return RedirectResponse(error.correct + request.url.path, 307)
    is_navigation = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    if isinstance(error, SignInRequired) and not is_navigation:
        return Response(status_code=status)
    if isinstance(error, SignInRequired | ConfirmationRequired):
        page = "sign-in" if isinstance(error, SignInRequired) else "confirm"
        query = f"?{request.url.query}" if is_read and request.url.query else ""
        back = quote(request.url.path + query)
        return RedirectResponse(f"/console/{page}?next={back}", 303)
    return render.page(
        "problem.html",
        getattr(request.state, "session", None),
        status,
        title=TITLES.get(status, "Not possible"),
        detail=str(error),
    )
