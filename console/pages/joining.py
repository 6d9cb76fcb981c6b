"""Signing up with a one-time code: a passkey, or a password with one-time passwords."""

from typing import Annotated

import segno
from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from markupsafe import Markup

from console.access import Access, Form
from console.activity import Action
from console.desk import ConsoleDesk
from console.errors import ConsoleError, OperatorInvitationInvalid, PasswordTooWeak, SignInRefused
from console.operators import Operator
from console.pages.sign_in import HOME
from console.passwords import MIN_PASSWORD, provisioning_uri
from console.problems import status_of
from console.rendering import Renderer


def add_routes(router: APIRouter, desk: ConsoleDesk, access: Access, render: Renderer) -> None:
    """Add `/join`. Its code stands behind the address's #, which no server and no log sees."""
    staff = desk.staff

    def enter(operator: Operator, form: Form, response: Response, how: str) -> Response:
        staff.trail.note(operator.name, Action.SIGNED_UP, how)
        access.enter(response, staff.sessions.open(operator), form.origin)
        return response

    def choose(form: Form, problem: ConsoleError | None = None) -> HTMLResponse:
        invitation = staff.operators.invitation(form.text("code"))
        secret = staff.passwords.secret(invitation)
        uri = provisioning_uri(secret, invitation.operator.name)
        return render.page(
            "join_choose.html",
            status=200 if problem is None else status_of(problem) or 422,
            invited=invitation.operator,
            code=form.text("code"),
            secret=secret,
            qr=_svg(uri),
            least=MIN_PASSWORD,
            problem=problem,
        )

    @router.get("/join", dependencies=[Depends(access.origin)])
    def join() -> HTMLResponse:
        return render.page("join.html", problem=None)

    @router.post("/join")
    def look(form: Annotated[Form, Depends(access.form)]) -> HTMLResponse:
        staff.attempts.of_client(form.client)
        try:
            return choose(form)
        except OperatorInvitationInvalid as refused:
            return render.page("join.html", status=403, problem=refused)

    @router.post("/join/options")
    def options(form: Annotated[Form, Depends(access.form)]) -> JSONResponse:
        staff.attempts.of_client(form.client)
        operator = staff.operators.invitation(form.text("code")).operator
        return JSONResponse(staff.passkeys.creation_options(operator, form.origin))

    @router.post("/join/passkey")
    def passkey(form: Annotated[Form, Depends(access.form)]) -> Response:
        staff.attempts.of_client(form.client)
        operator = staff.operators.invitation(form.text("code")).operator
        row = staff.passkeys.verify_new(operator, form.origin, form.answer())
        with staff.operators.joining(form.text("code")) as (connection, _):
            staff.passkeys.add(row, connection)
        return enter(operator, form, JSONResponse({"next": HOME}), "passkey")

    @router.post("/join/password")
    def password(form: Annotated[Form, Depends(access.form)]) -> Response:
        staff.attempts.of_client(form.client)
        try:
            with staff.operators.joining(form.text("code")) as (connection, invitation):
                staff.passwords.set(
                    connection, invitation, form.text("password"), form.text("six_digits")
                )
        except (PasswordTooWeak, SignInRefused) as refused:
            return choose(form, refused)
        except OperatorInvitationInvalid as refused:
            return render.page("join.html", status=403, problem=refused)
        return enter(invitation.operator, form, RedirectResponse(HOME, 303), "password")


def _svg(uri: str) -> Markup:
    """Draw a QR code as inline SVG, without any style that the page's policy would refuse."""
    return Markup(
        segno.make(uri, error="m").svg_inline(
            border=2, omitsize=True, svgclass="qr", lineclass="modules", light="#fff"
        )
    )
