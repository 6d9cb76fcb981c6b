"""What the console is made of: how operators sign in, and what there is to be shown."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Engine

from console.activity import Trail
from console.address import ConsoleAddress
from console.attempts import Attempts
from console.chain import ChainStatus
from console.operators import Clock, OperatorRegistry
from console.passkeys import PasskeyStore
from console.passwords import Hasher, PasswordStore, draw_secret
from console.report import MakeReport
from console.sessions import SessionStore
from enrollment.adjudication import AdjudicationService
from enrollment.gate import Turnstile
from enrollment.kiosks import KioskRegistry
from enrollment.receipts import ReceiptIssuer
from enrollment.sessions import SessionStore as TurnStore
from enrollment.store import EnrollmentStore
from transparency.journal import Journal
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring


@dataclass(frozen=True)
class Operations:
    """What operators look at and change.

    Args:
        engine: of the database in which gallery and enrolments are.
        gallery: open.
        turnstile: of the enrolment routes.
        turns: people's sessions at kiosks.
        journal: writes the decision log, and knows the pseudonyms in it.
        chain: reads what the chain holds; None where no chain is configured.
        report: makes the audit report.
    """

    engine: Engine
    gallery: Gallery
    turnstile: Turnstile
    kiosks: KioskRegistry
    turns: TurnStore
    enrollments: EnrollmentStore
    receipts: ReceiptIssuer
    adjudication: AdjudicationService
    journal: Journal
    chain: Callable[[], ChainStatus | None]
    report: MakeReport


@dataclass(frozen=True)
class Staff:
    """Operators, and everything by which one is known; see `Staff.open`."""

    operators: OperatorRegistry
    passkeys: PasskeyStore
    passwords: PasswordStore
    sessions: SessionStore
    trail: Trail
    attempts: Attempts = field(default_factory=Attempts)

    @classmethod
    def open(
        cls,
        engine: Engine,
        keyring: Keyring,
        clock: Clock = time.time,
        hasher: Hasher | None = None,
    ) -> Self:
        """Open the stores of operators in a database.

        Args:
            engine: SQLAlchemy engine of a SQLite or PostgreSQL database.
            keyring: seals the secrets of one-time passwords.
            clock: gives Unix seconds.
            hasher: of passwords; by default with the cost of RFC 9106.
        """
        return cls(
            OperatorRegistry(engine, keyring, draw_secret, clock),
            PasskeyStore(engine, clock),
            PasswordStore(engine, keyring, clock, hasher),
            SessionStore(engine, clock),
            Trail(engine, clock),
        )


@dataclass(frozen=True)
class ConsoleDesk:
    """What the routes need."""

    address: ConsoleAddress
    staff: Staff
    operations: Operations
    clock: Clock = time.time
