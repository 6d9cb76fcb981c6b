"""A real console for tests: real stores and a real gallery, on a clock that the test moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine

from console.address import ConsoleAddress
from console.chain import ChainStatus
from console.desk import ConsoleDesk, Operations, Staff
from console.operators import Operator, Role
from console.routes import create_console_router
from enrollment.gate import Turnstile
from enrollment.kiosk_files import create_kiosk_router
from enrollment.kiosks import KioskRegistry
from enrollment.receipts import ReceiptIssuer
from enrollment.requests import install_problem_handlers
from enrollment.sessions import SessionStore
from tests.desk import PEOPLE, Desk, open_desk
from tests.unit.uniqueness.synthetic import template
from uniqueness.sealing import Keyring
from uniqueness.template import Probe

PASSWORD = "four quiet green doors"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # tests guess a lot


class Clock:
    """Stands still until it is moved, on a whole step of one-time passwords."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class Console:
    """A console without a server, and everything behind it."""

    app: FastAPI
    staff: Staff
    operations: Operations
    clock: Clock
    engine: Engine
    desk: Desk

    def invited(self, name: str, role: Role) -> str:
        """Add an operator; gives the sign-up code."""
        return self.staff.operators.add(name, role)

    def joined(self, name: str, role: Role) -> tuple[Operator, str]:
        """Add an operator with `PASSWORD`; gives the secret of the one-time passwords too."""
        code = self.invited(name, role)
        with self.staff.operators.joining(code) as (connection, invitation):
            secret = self.staff.passwords.secret(invitation)
            digits = self.digits(secret)
            self.staff.passwords.set(connection, invitation, PASSWORD, digits)
        self.clock.forward(30)  # a one-time password works once
        return invitation.operator, secret

    def digits(self, secret: str) -> str:
        """What the operator's telephone shows now."""
        return pyotp.TOTP(secret).at(int(self.clock()))

    def decide(self, *people: int) -> None:
        """Enrol people by their numbers; who comes again is a duplicate."""
        for request, person in enumerate(people):
            probe = Probe((template(PEOPLE[person]),))
            self.operations.gallery.identify_and_enroll(probe, f"request {request} of {person}")


@contextmanager
def open_console(
    directory: Path,
    clock: Clock,
    *,
    url: str | None = None,
    chain: Callable[[], ChainStatus | None] = lambda: None,
) -> Iterator[Console]:
    """A console on an empty database in a directory, for as long as the block runs."""
    engine = create_engine(f"sqlite:///{directory}/personhood.db")
    keyring = Keyring(b"k" * 32)
    with open_desk(engine, keyring=keyring) as desk:
        operations = Operations(
            engine=engine,
            gallery=desk.gallery,
            turnstile=Turnstile(64),
            kiosks=KioskRegistry(engine),
            turns=SessionStore(engine),
            enrollments=desk.store,
            receipts=ReceiptIssuer(b"r" * 32),
            adjudication=desk.service.adjudication,
            journal=desk.journal,
            chain=chain,
            report=lambda form: f"a report as {form}".encode(),
        )
        staff = Staff.open(engine, keyring, clock, CHEAP)
        app = FastAPI()
        app.include_router(create_kiosk_router(directory / "no detector"))  # for its fonts
        app.include_router(
            create_console_router(ConsoleDesk(ConsoleAddress(url), staff, operations, clock))
        )
        install_problem_handlers(app)
        yield Console(app, staff, operations, clock, engine, desk)
    engine.dispose()
