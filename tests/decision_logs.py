"""A decision log for tests: in memory, written as the service does, served as a copy."""

import weakref
from dataclasses import dataclass, field

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from transparency.entry import Kind
from transparency.journal import Journal
from transparency.mirror import LogCopy
from transparency.note import VerifierKey
from transparency.store import DecisionLog
from uniqueness.database import prepare

HOUR = 1_767_225_600


@dataclass
class Log:
    """A log that tests write by hand; its hours are long ago unless told."""

    journal: Journal = field(default_factory=lambda: _journal(b"l" * 32))

    @property
    def key(self) -> VerifierKey:
        return self.journal.verifier

    @property
    def digest(self) -> bytes:
        """Of the checkpoint as of now: what is put on the chain."""
        return self.journal.checkpoint().digest

    def accept(self, *commitments: int, kind: Kind = Kind.UNIQUE, hour: int = HOUR) -> None:
        for commitment in commitments:
            self.write(kind, commitment, hour)

    def remove(self, *commitments: int, hour: int = HOUR) -> None:
        self.accept(*commitments, kind=Kind.REMOVAL, hour=hour)

    def write(self, kind: Kind, commitment: int | None = None, hour: int = HOUR) -> None:
        with self.journal.log.writing() as connection:
            self.journal.record(connection, kind, commitment=commitment, hour=hour)

    def copy(self, start: int = 0) -> LogCopy:
        log = self.journal.log
        size = log.size()
        note, leaves = self.journal.signed_checkpoint(), log.leaves(start, size)
        return LogCopy(note, leaves, log.openings(start, 10_000))


def log_of_key(key: bytes) -> Log:
    return Log(_journal(key))


def _journal(key: bytes) -> Journal:
    database = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    log = DecisionLog(prepare(database))
    weakref.finalize(log, database.dispose)
    return Journal(log, key, "log.example/people", "m 1", "c 1")
