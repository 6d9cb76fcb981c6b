"""Transactions of this package's tables, what their failure is called, and who may send."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from distribution.errors import JournalUnavailable, SenderBusy


class Base(DeclarativeBase):
    """The tables of whoever sends transactions."""


class Database:
    """Transactions on one engine.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database, which begins transactions that
            have the execution option `writes` with the write lock; tables are made if absent.
        metadata: the tables.

    Raises:
        JournalUnavailable: here, and out of every transaction, the database failed.
    """

    def __init__(self, engine: Engine, base: type[DeclarativeBase] = Base) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writes=True)
        with _faults_translated():
            base.metadata.create_all(self._writer)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view."""
        with _faults_translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All of it, durably, or nothing."""
        with _faults_translated(), self._writer.begin() as connection:
            yield connection


@contextmanager
def sole_sender(engine: Engine, account: str) -> Iterator[None]:
    """Hold the right to send from `account`: one process of those that use this database.

    A lock that is dropped when the process dies: of a file beside a SQLite database, or an
    advisory one of PostgreSQL.

    Raises:
        SenderBusy: another process holds it.
    """
    busy = SenderBusy(
        f"another process sends from {account} with this database: stop it first, or give each "
        "an account of its own"
    )
    if engine.dialect.name == "postgresql":
        key = int.from_bytes(sha256(account.lower().encode()).digest()[:8], "big", signed=True)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                raise busy
            try:
                yield
            finally:
                with suppress(SQLAlchemyError):  # a broken connection has lost it already
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
        return
    path = Path(f"{engine.url.database}.{account.lower()}.lock")
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise JournalUnavailable(
            "the database of what was sent failed: nothing was sent that is not in it, try again"
        ) from error
