"""The audit report, made when it is asked for."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from console.access import Access
from console.activity import Action
from console.desk import ConsoleDesk
from console.operators import Permission
from console.rendering import Renderer
from console.report import MEDIA_TYPES, ReportForm
from console.sessions import Session


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/report` and `/report/download`."""
    may_audit = Depends(access.reader(Permission.AUDIT))

    @router.get("/report")
    def report(session: Annotated[Session, may_audit]) -> HTMLResponse:
        return render.page("report.html", session, forms=list(ReportForm))

    @router.get("/report/download")
    def download(session: Annotated[Session, may_audit], form: ReportForm) -> Response:
        content = desk.operations.report(form)
        desk.staff.trail.note(session.operator.name, Action.REPORT_DOWNLOADED, form.value)
        day = f"{datetime.fromtimestamp(desk.clock(), UTC):%Y-%m-%d}"
        name = f"audit-report-{day}.{form.value}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, headers=headers, media_type=MEDIA_TYPES[form])
