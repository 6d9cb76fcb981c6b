"""A real console for tests: real stores and a real gallery, on a clock that the test moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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
from enrollment.store import EnrollmentStore
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.decision import Thresholds
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import Probe, Template

PASSWORD = "four quiet green doors"
MODEL = "model-1"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # tests guess a lot
_DIMENSION = 16


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
            vector = np.zeros(_DIMENSION, np.float32)
            vector[person] = 1.0
            probe = Probe((Template(vector, MODEL),))
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
    store = GalleryStore(engine, keyring)
    indexes = {MODEL: FaissFlatIndex(_DIMENSION)}
    with Gallery.open(store, indexes, Thresholds(0.5, 0.6)) as gallery:
        journal = Journal(DecisionLog(engine), b"l" * 32)
        operations = Operations(
            engine=engine,
            gallery=gallery,
            turnstile=Turnstile(64),
            kiosks=KioskRegistry(engine),
            turns=SessionStore(engine),
            enrollments=EnrollmentStore(engine, journal),
            receipts=ReceiptIssuer(b"r" * 32),
            journal=journal,
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
        yield Console(app, staff, operations, clock, engine)
    engine.dispose()
