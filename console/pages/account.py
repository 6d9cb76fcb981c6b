"""One's own account: passkeys, and sessions elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from console.access import Access, Submission
from console.activity import Action
from console.desk import ConsoleDesk
from console.operators import ALLOWED, Permission
from console.rendering import Renderer
from console.sessions import Session

_ACCOUNT = "/console/account"


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/account` and what is done there."""
    staff = desk.staff
    may_read = Depends(access.reader(Permission.READ))
    may_send = Depends(access.writer(Permission.READ))
    may_change = Depends(access.writer(Permission.READ, confirmed=True))

    @router.get("/account")
    def account(session: Annotated[Session, may_read]) -> HTMLResponse:
        return render.page(
            "account.html",
            session,
            passkeys=staff.passkeys.of(session.operator),
            has_password=staff.passwords.has(session.operator),
            allowed=sorted(ALLOWED[session.operator.role]),
            is_confirmed=session.is_confirmed,
        )

    @router.post("/account/options")
    def options(sent: Annotated[Submission, may_change]) -> JSONResponse:
        return JSONResponse(staff.passkeys.creation_options(sent.session.operator, sent.origin))

    @router.post("/account/passkey")
    def add_passkey(sent: Annotated[Submission, may_change]) -> JSONResponse:
        operator = sent.session.operator
        staff.passkeys.add(staff.passkeys.verify_new(operator, sent.origin, sent.answer()))
        staff.trail.note(operator.name, Action.PASSKEY_ADDED)
        return JSONResponse({"next": _ACCOUNT})

    @router.post("/account/end-others")
    def end_others(sent: Annotated[Submission, may_send]) -> Response:
        staff.sessions.end_others(sent.session)
        staff.trail.note(sent.session.operator.name, Action.SESSIONS_ENDED)
        return RedirectResponse(_ACCOUNT, 303)
