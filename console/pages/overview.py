"""The first page: how the service is, refreshed by itself."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from console.access import Access
from console.chart import NARROW, Chart
from console.desk import ConsoleDesk
from console.figures import KINDS, OverviewReader
from console.operators import Permission
from console.rendering import Renderer
from console.sessions import Session

LABELS = {
    "unique": "accepted",
    "duplicate": "duplicate",
    "review": "review",
    "rejected": "rejected",
}


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/` and `/overview`, the part of it that is refreshed."""
    reader = OverviewReader(desk.operations, desk.clock)
    may_read = Depends(access.reader(Permission.READ))
    may_refresh = Depends(access.reader(Permission.READ, by_itself=True))

    def page(template: str, session: Session) -> HTMLResponse:
        overview = reader.read()
        return render.page(
            template,
            session,
            overview=overview,
            charts={
                "wide-screen": Chart.of(overview.decisions.hours),
                "narrow": Chart.of(overview.decisions.hours, NARROW),
            },
            kinds=KINDS,
            labels=LABELS,
            now=desk.clock(),
        )

    @router.get("/")
    def overview(session: Annotated[Session, may_read]) -> HTMLResponse:
        return page("overview.html", session)

    @router.get("/overview")
    def refresh(session: Annotated[Session, may_refresh]) -> HTMLResponse:
        return page("overview_live.html", session)
