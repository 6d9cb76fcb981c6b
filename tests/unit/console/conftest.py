import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from console.operators import Operator, Role
from tests.console import PASSWORD, Clock, Console, open_console

NOW = 1_800_000_000
URL = "http://localhost"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def console(tmp_path: Path, clock: Clock) -> Iterator[Console]:
    with open_console(tmp_path, clock) as console:
        yield console


class InProcess(httpx.BaseTransport):
    """Hands requests to an application without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


class Browser:
    """Somebody at a browser that runs no scripts."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.client = httpx.Client(
            base_url=URL, headers={"origin": URL}, transport=InProcess(console.app)
        )

    def sign_in(self, name: str, role: Role) -> Operator:
        """Add an operator and sign in with the password."""
        operator, secret = self.console.joined(name, role)
        answer = self.password(name, PASSWORD, self.console.digits(secret))
        assert answer.status_code == 303
        self.console.clock.forward(30)
        return operator

    def password(self, name: str, password: str, digits: str) -> httpx.Response:
        """Send the form of the second way to sign in."""
        form = {"name": name, "password": password, "six_digits": digits}
        return self.client.post("/console/sign-in", data=form)

    def token(self) -> str:
        """The token that the forms of this session carry."""
        session = self.console.staff.sessions.find(self.client.cookies["personhood-console"])
        assert session is not None
        return session.form_token

    def send(self, path: str, **form: str) -> httpx.Response:
        """Send a form of this session."""
        return self.client.post(path, data={"form_token": self.token(), **form})


@pytest.fixture
def browser(console: Console) -> Browser:
    return Browser(console)
