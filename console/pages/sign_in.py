"""Signing in, showing again who one is, and signing out."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from console.access import Access, Form, Submission
from console.activity import NOBODY, Action
from console.desk import ConsoleDesk
from console.errors import ConsoleError, SignInRefused, TooManyAttempts
from console.operators import Operator, Permission
from console.problems import status_of
from console.rendering import Renderer
from console.sessions import Session

HOME: Final = "/console/"
_OURS: Final = re.compile(r"/console/[a-z/-]*(\?[\w%=+.~ -]*)?", re.ASCII)
_WRONG: Final = "The name, the password or the six digits are wrong."


def safe_next(path: str) -> str:
    """Give a page of the console to go on to, and no other address."""
    return path if _OURS.fullmatch(path) else HOME


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/sign-in`, `/confirm` and `/sign-out`."""
    staff = desk.staff
    may_read = Depends(access.reader(Permission.READ))
    may_send = Depends(access.writer(Permission.READ))

    def by_passkey(form: Form, expected: Operator | None = None) -> Operator:
        staff.attempts.of_client(form.client)
        operator = staff.operators.active(staff.passkeys.verify(form.origin, form.answer()))
        if operator is None or (expected and operator.id != expected.id):
            raise SignInRefused("This passkey is not known here. Use another one.")
        return operator

    def by_password(form: Form, name: str) -> Operator:
        staff.attempts.of_client(form.client)
        staff.attempts.of_name(name)
        operator = staff.operators.active_named(name)
        password, code = form.text("password"), form.text("six_digits")
        if not staff.passwords.check(operator, password, code) or operator is None:
            staff.trail.note(operator.name if operator else NOBODY, Action.SIGN_IN_REFUSED)
            raise SignInRefused(_WRONG)
        return operator

    def enter(operator: Operator, form: Form, response: Response, how: str) -> Response:
        staff.trail.note(operator.name, Action.SIGNED_IN, how)
        access.enter(response, staff.sessions.open(operator), form.origin)
        return response

    @router.get("/sign-in", dependencies=[Depends(access.origin)])
    def sign_in(request: Request, next: str = HOME) -> Response:
        if access.session(request):
            return RedirectResponse(safe_next(next), 303)
        return render.page("sign_in.html", next=safe_next(next), problem=None, name="")

    @router.post("/sign-in/options")
    def options(form: Annotated[Form, Depends(access.form)]) -> JSONResponse:
        staff.attempts.of_client(form.client)
        return JSONResponse(staff.passkeys.request_options(form.origin))

    @router.post("/sign-in/passkey")
    def passkey(form: Annotated[Form, Depends(access.form)]) -> Response:
        response = JSONResponse({"next": safe_next(str(form.values.get("next", HOME)))})
        return enter(by_passkey(form), form, response, "passkey")

    @router.post("/sign-in")
    def password(form: Annotated[Form, Depends(access.form)]) -> Response:
        name = str(form.values.get("name", "")).strip()
        following = safe_next(str(form.values.get("next", HOME)))
        try:
            operator = by_password(form, name)
        except (SignInRefused, TooManyAttempts) as refused:
            return _again(render, "sign_in.html", refused, next=following, name=name)
        return enter(operator, form, RedirectResponse(following, 303), "password")

    @router.get("/confirm")
    def confirm(session: Annotated[Session, may_read], next: str = HOME) -> HTMLResponse:
        return render.page("confirm.html", session, next=safe_next(next), problem=None)

    @router.post("/confirm/passkey")
    def confirm_passkey(sent: Annotated[Submission, may_send]) -> JSONResponse:
        by_passkey(sent, sent.session.operator)
        staff.sessions.confirm(sent.session)
        staff.trail.note(sent.session.operator.name, Action.CONFIRMED, "passkey")
        return JSONResponse({"next": safe_next(str(sent.values.get("next", HOME)))})

    @router.post("/confirm")
    def confirm_password(sent: Annotated[Submission, may_send]) -> Response:
        following = safe_next(str(sent.values.get("next", HOME)))
        try:
            by_password(sent, sent.session.operator.name)
        except (SignInRefused, TooManyAttempts) as refused:
            return _again(render, "confirm.html", refused, sent.session, next=following)
        staff.sessions.confirm(sent.session)
        staff.trail.note(sent.session.operator.name, Action.CONFIRMED, "password")
        return RedirectResponse(following, 303)

    @router.post("/sign-out")
    def sign_out(sent: Annotated[Submission, may_send]) -> Response:
        staff.sessions.end(sent.session)
        staff.trail.note(sent.session.operator.name, Action.SIGNED_OUT)
        response = RedirectResponse("/console/sign-in", 303)
        access.leave(response, sent.origin)
        return response


def _again(
    render: Renderer,
    template: str,
    refused: ConsoleError,
    session: Session | None = None,
    **values: Any,
) -> HTMLResponse:
    status = status_of(refused) or 401
    return render.page(template, session, status, problem=str(refused), **values)
