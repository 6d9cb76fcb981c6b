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
    """Add `/chain`, which asks the chain, and may so take a moment."""
    may_read = Depends(access.reader(Permission.READ))

    @router.get("/chain")
    def chain(session: Annotated[Session, may_read]) -> HTMLResponse:
        operations = desk.operations
        return render.page(
            "chain.html",
            session,
            chain=operations.chain(),
            accepted=operations.enrollments.accepted(),
        )
