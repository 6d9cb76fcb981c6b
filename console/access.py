"""Who asks, from where, and whether they may: what every route of the console depends on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from console.activity import Action
from console.address import Origin
from console.desk import ConsoleDesk
from console.errors import (
    ConfirmationRequired,
    FormForged,
    FormInvalid,
    RoleRefused,
    SignInRequired,
)
from console.operators import Permission
from console.sessions import Session

MAX_FORM: Final = 64 * 1024  # bytes
FORM_TOKEN: Final = "form_token"
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Form:
    """What a page of this console sent."""

    origin: Origin
    client: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Get a field that has to be filled in.

        Raises:
            FormInvalid: it is not.
        """
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise FormInvalid(f"Fill in {name.replace('_', ' ')}.")
        return value

    def answer(self) -> dict[str, Any]:
        """Get a passkey's answer.

        Raises:
            FormInvalid: there is none.
        """
        value = self.values.get("answer")
        if not isinstance(value, dict):
            raise FormInvalid("The browser's answer is missing.")
        return value


@dataclass(frozen=True)
class Submission(Form):
    """A form of somebody who is signed in."""

    session: Session


class Access:
    """Makes the dependencies of routes."""

    def __init__(self, desk: ConsoleDesk) -> None:
        self._desk = desk

    def origin(self, request: Request) -> Origin:
        """Tell the origin under which the console is asked.

        Raises:
            AddressRefused: it is not the console's.
        """
        return self._desk.address.origin_of(request.headers.get("host", ""))

    def session(self, request: Request, *, by_itself: bool = False) -> Session | None:
        """Find the session of whoever asks."""
        token = request.cookies.get(self.origin(request).cookie)
        if not token:
            return None
        return self._desk.staff.sessions.find(token, by_itself=by_itself)

    def reader(
        self, permission: Permission, *, confirmed: bool = False, by_itself: bool = False
    ) -> Callable[[Request], Session]:
        """Make a dependency that lets in who is signed in and may.

        Args:
            confirmed: only who showed a moment ago that it is still they.
            by_itself: the page asks by itself, which does not keep the session alive.
        """

        def dependency(request: Request) -> Session:
            session = self.session(request, by_itself=by_itself)
            return self._permitted(session, permission, request, confirmed=confirmed)

        return dependency

    def writer(
        self, permission: Permission, *, confirmed: bool = False
    ) -> Callable[[Request], Any]:
        """Make a dependency that takes a form of who is signed in and may.

        It raises `FormForged` where the form is not of this session.
        """

        async def dependency(request: Request) -> Submission:
            form = await self.form(request)

            def check() -> Submission:
                session = self._permitted(
                    self.session(request), permission, request, confirmed=confirmed
                )
                token = form.values.get(FORM_TOKEN)
                if not isinstance(token, str) or not session.wrote(token):
                    raise FormForged(
                        "This form is not of your session. Open the page again and repeat it."
                    )
                return Submission(form.origin, form.client, form.values, session)

            return await run_in_threadpool(check)

        return dependency

    async def form(self, request: Request) -> Form:
        """Read a form, or JSON, that a page of this console sent.

        Raises:
            FormForged: another page sent it.
            FormInvalid: it is too large, or none.
        """
        origin = self.origin(request)
        if request.headers.get("origin") != origin.text:
            raise FormForged("This form was not sent by the console. Open the console anew.")
        client = request.client.host if request.client else ""
        return Form(origin, client, _parse(request, await _read(request)))

    def enter(self, response: Response, session: Session, origin: Origin) -> None:
        """Give the browser its session."""
        response.set_cookie(
            origin.cookie,
            session.token,
            path="/",
            secure=origin.is_secure,
            httponly=True,
            samesite="strict",
        )

    def leave(self, response: Response, origin: Origin) -> None:
        """Make the browser forget its session."""
        response.delete_cookie(
            origin.cookie, path="/", secure=origin.is_secure, httponly=True, samesite="strict"
        )

    def _permitted(
        self, session: Session | None, permission: Permission, request: Request, *, confirmed: bool
    ) -> Session:
        if session is None:
            raise SignInRequired("Sign in to go on.")
        request.state.session = session
        if not session.operator.may(permission):
            subject = f"{request.method} {request.url.path}"
            self._desk.staff.trail.note(session.operator.name, Action.ACCESS_REFUSED, subject)
            raise RoleRefused(
                f"Your role, {session.operator.role}, does not {permission}. Ask an admin."
            )
        if confirmed and not session.is_confirmed:
            raise ConfirmationRequired("Show once more that it is you.")
        return session


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise FormInvalid("The form is too large.")
    return bytes(body)


def _parse(request: Request, body: bytes) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode()
        if kind == _FORM_TYPE:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=50))
        values = json.loads(text) if kind == "application/json" else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise FormInvalid("The form cannot be read.")
    return values
