"""Who may use the console: list, add, invite again, disable."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.access import Access, Submission
from console.activity import Action
from console.desk import ConsoleDesk
from console.errors import FormInvalid, OperatorNameTaken
from console.operators import ALLOWED, Permission, Role
from console.problems import status_of
from console.rendering import Renderer
from console.sessions import Session


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/operators` and what is done there."""
    staff = desk.staff
    may_list = Depends(access.reader(Permission.CONFIGURE))
    may_open = Depends(access.reader(Permission.CONFIGURE, confirmed=True))
    may_change = Depends(access.writer(Permission.CONFIGURE, confirmed=True))

    def page(session: Session, status: int = 200, problem: str | None = None) -> HTMLResponse:
        return render.page(
            "operators.html", session, status, operators=staff.operators.all(), problem=problem
        )

    def form(session: Session, status: int = 200, problem: str | None = None) -> HTMLResponse:
        return render.page("operator_add.html", session, status, allowed=ALLOWED, problem=problem)

    def invited(sent: Submission, name: str, code: str) -> HTMLResponse:
        link = f"{sent.origin.text}/console/join#{code}"
        return render.page("operator_invited.html", sent.session, name=name, code=code, link=link)

    @router.get("/operators")
    def every(session: Annotated[Session, may_list]) -> HTMLResponse:
        return page(session)

    @router.get("/operators/add")
    def ask(session: Annotated[Session, may_open]) -> HTMLResponse:
        return form(session)

    @router.post("/operators/add")
    def add(sent: Annotated[Submission, may_change]) -> HTMLResponse:
        try:
            name = " ".join(sent.text("name").split())
            code = staff.operators.add(name, _role(sent.text("role")))
        except (FormInvalid, OperatorNameTaken) as refused:
            return form(sent.session, status_of(refused) or 422, str(refused))
        staff.trail.note(sent.session.operator.name, Action.OPERATOR_ADDED, name)
        return invited(sent, name, code)

    @router.get("/operators/change")
    def ask_to_change(session: Annotated[Session, may_open], name: str = "") -> HTMLResponse:
        operator = staff.operators.active_named(name)
        if operator is None:
            return page(session, 404, "There is no such operator, or they are disabled.")
        return render.page("operator_change.html", session, changed=operator)

    @router.post("/operators/invite")
    def invite(sent: Annotated[Submission, may_change]) -> HTMLResponse:
        name = sent.text("name")
        code = staff.operators.invite_again(name)
        staff.trail.note(sent.session.operator.name, Action.OPERATOR_INVITED, name)
        return invited(sent, name, code)

    @router.post("/operators/disable")
    def disable(sent: Annotated[Submission, may_change]) -> Response:
        name = sent.text("name")
        if name == sent.session.operator.name:
            raise FormInvalid("Another admin can disable you, not you yourself.")
        staff.operators.disable(name)
        staff.trail.note(sent.session.operator.name, Action.OPERATOR_DISABLED, name)
        return RedirectResponse("/console/operators", 303)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise FormInvalid("Choose a role.") from None
