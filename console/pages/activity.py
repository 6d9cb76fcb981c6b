"""What operators did, for those who audit them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from console.access import Access
from console.desk import ConsoleDesk
from console.operators import Permission
from console.rendering import Renderer
from console.sessions import Session

PAGE: Final = 50  # entries


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/activity`."""
    may_audit = Depends(access.reader(Permission.AUDIT))

    @router.get("/activity")
    def activity(session: Annotated[Session, may_audit], before: int | None = None) -> HTMLResponse:
        entries = desk.staff.trail.read(PAGE, before=before)
        older = entries[-1].sequence if len(entries) == PAGE else None
        return render.page(
            "activity.html", session, entries=entries, older=older, is_newest=before is None
        )
