"""Epochs, roots, budget, and what waits to be published."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from console.access import Access
from console.desk import ConsoleDesk
from console.operators import Permission
from console.rendering import Renderer
from console.sessions import Session


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/chain` and `/chain/now`, the part of it that is refreshed."""
    may_read = Depends(access.reader(Permission.READ))
    may_refresh = Depends(access.reader(Permission.READ, by_itself=True))
    operations = desk.operations

    def page(template: str, session: Session) -> HTMLResponse:
        accepted = operations.enrollments.history.added()
        return render.page(template, session, chain=operations.chain(), accepted=accepted)

    @router.get("/chain")
    def chain(session: Annotated[Session, may_read]) -> HTMLResponse:
        return page("chain.html", session)

    @router.get("/chain/now")
    def refresh(session: Annotated[Session, may_refresh]) -> HTMLResponse:
        return page("chain_live.html", session)
