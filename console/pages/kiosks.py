"""Which devices may enrol people: list, invite, revoke."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.access import Access, Submission
from console.activity import COMMAND_LINE, Action
from console.desk import ConsoleDesk
from console.fresh import Fresh
from console.operators import Permission
from console.recent import read_recent
from console.rendering import Renderer
from console.sessions import Session
from enrollment.errors import KioskNameTaken, KioskUnknown
from enrollment.sessions import Turns

_DAY: Final = 24 * 3600  # seconds
_FRESH: Final = 30.0  # seconds for which the decision log is not read again
_NO_TURNS: Final = Turns(0, 0)


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/kiosks` and what is done there."""
    kiosks, turns, trail = desk.operations.kiosks, desk.operations.turns, desk.staff.trail
    journal = desk.operations.journal
    recent = Fresh(lambda: read_recent(desk.operations, desk.clock()), _FRESH, desk.clock)
    may_read = Depends(access.reader(Permission.READ))
    may_open = Depends(access.reader(Permission.CONFIGURE, confirmed=True))
    may_change = Depends(access.writer(Permission.CONFIGURE, confirmed=True))

    def page(session: Session, status: int = 200, problem: str | None = None) -> HTMLResponse:
        seen = recent.get()
        return render.page(
            "kiosks.html",
            session,
            status,
            kiosks=kiosks.all(),
            invited=kiosks.invited(),
            turns=turns.turns(_DAY),
            no_turns=_NO_TURNS,
            recent=seen,
            pseudonyms={name: journal.operator_pseudonym(name) for name in seen.by_operator},
            command_line=COMMAND_LINE,
            may_configure=session.operator.may(Permission.CONFIGURE),
            problem=problem,
        )

    @router.get("/kiosks")
    def every(session: Annotated[Session, may_read]) -> HTMLResponse:
        return page(session)

    @router.get("/kiosks/invite")
    def ask(session: Annotated[Session, may_open]) -> HTMLResponse:
        return render.page("kiosk_invite.html", session, problem=None)

    @router.post("/kiosks/invite")
    def invite(sent: Annotated[Submission, may_change]) -> HTMLResponse:
        name = " ".join(sent.text("name").split())
        try:
            code = kiosks.invite(name, by=sent.session.operator.name)
        except KioskNameTaken as taken:
            return render.page("kiosk_invite.html", sent.session, 409, problem=str(taken))
        trail.note(sent.session.operator.name, Action.KIOSK_INVITED, name)
        return render.page("kiosk_invited.html", sent.session, name=name, code=code)

    @router.get("/kiosks/revoke")
    def ask_to_revoke(session: Annotated[Session, may_open], name: str = "") -> HTMLResponse:
        known = {kiosk.name for kiosk in kiosks.all()} | set(kiosks.invited())
        if name not in known:
            return page(session, 404, "There is no such kiosk.")
        return render.page("kiosk_revoke.html", session, name=name)

    @router.post("/kiosks/revoke")
    def revoke(sent: Annotated[Submission, may_change]) -> Response:
        name = sent.text("name")
        try:
            kiosks.revoke(name)
        except KioskUnknown:
            return page(sent.session, 404, "There is no such kiosk.")
        trail.note(sent.session.operator.name, Action.KIOSK_REVOKED, name)
        return RedirectResponse("/console/kiosks", 303)
