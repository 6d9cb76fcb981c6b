"""How the stores talk to their database, so that a commit survives a power cut."""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import Pool

from uniqueness.prepared import Driver, Prepared

_BEGIN, _BEGIN_WRITING = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))
_FLUSHED = Prepared(text("PRAGMA synchronous = FULL"))
_UNFLUSHED = Prepared(text("PRAGMA synchronous = NORMAL"))
_UNFLUSHED_POSTGRESQL = Prepared(text("SET LOCAL synchronous_commit = off"))
_BUSY_TIMEOUT = 10_000  # milliseconds

_turns: weakref.WeakKeyDictionary[Pool, threading.Lock] = weakref.WeakKeyDictionary()


def prepare(engine: Engine) -> Engine:
    """Make an engine's commits durable and its transactions real; returns the same engine.

    On SQLite every connection gets a write-ahead log that is flushed at each commit, and a
    transaction is one from its first read on. Other databases are left as they are. The engine
    must be a fresh one, or one that was prepared before.
    """
    engine.hide_parameters = True  # an error's text never holds a commitment or a template
    if not event.contains(engine, "begin", _begin):
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    return engine


def writer(engine: Engine) -> Engine:
    """Give an engine on the same connections for transactions that write.

    On SQLite they take the write lock when they begin (`BEGIN IMMEDIATE`), so that none fails
    half-way for having read first.
    """
    return prepare(engine).execution_options(writes=True)


def hasty_writer(engine: Engine) -> Engine:
    """Give an engine like `writer`'s whose commits do not wait for the disk.

    A power cut, not the end of the process, can take back what was committed last; the database
    stays whole. For what is of use for minutes only.
    """
    return writer(engine).execution_options(hasty=True)


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Wait until no other thread of this process writes to the engine's SQLite database.

    SQLite makes writers wait too, but by sleep: up to a tenth of a second at a time, also while the
    database is free. Its own wait stays for other processes, and for a thread that does not end.
    Other databases wake who waits.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _turns.setdefault(engine.pool, threading.Lock())
    is_ours = lock.acquire(timeout=_BUSY_TIMEOUT / 1000)
    try:
        yield
    finally:
        if is_ours:
            lock.release()


class Writing(Driver):
    """A connection kept for one writing transaction after another, each ended by `commit`.

    To fetch a connection from the pool and give it back takes as long as half of a decision's
    statements, and so does SQLAlchemy to begin and to commit: here the driver is told itself.
    `close` forgets what was not committed.

    Raises:
        sqlalchemy.exc.DBAPIError: in every method, the database failed.
    """

    def __init__(self, engine: Engine) -> None:
        connection = prepare(engine).connect().execution_options(begun=True)
        connection.detach()  # closed, and not given back to a pool that may be gone by then
        self.close = weakref.finalize(self, connection.close)
        super().__init__(connection)

    def begin(self, *, hasty: bool = False) -> None:
        """Begin a transaction, on SQLite with the write lock; other drivers do so unasked.

        Args:
            hasty: on SQLite, do not let the commit wait for the disk; the next one that does takes
                it along. A power cut before that also ends every process that saw the commit. A
                PostgreSQL server can lose one whose readers go on, so there each is flushed.
        """
        if self.connection.dialect.name == "sqlite":
            _let_wait(self, hasty=hasty)
            self.rows(_BEGIN_WRITING)


def insert_for(
    connection: Connection, table: type[DeclarativeBase]
) -> sqlite.Insert | postgresql.Insert:
    """Make an insert that can say what to do where a row is there already (`on_conflict_...`)."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _configure(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("begun", False):
        return
    writes, hasty = options.get("writes", False), options.get("hasty", False)
    driver = Driver(connection)
    if connection.dialect.name != "sqlite":
        if hasty:
            driver.run(_UNFLUSHED_POSTGRESQL, [{}])
        return
    if writes:
        _let_wait(driver, hasty=hasty)
    driver.rows(_BEGIN_WRITING if writes else _BEGIN)


def _let_wait(driver: Driver, *, hasty: bool) -> None:
    """Make the commits of a SQLite connection wait for the disk, or not."""
    info = driver.connection.info
    if info.get("hasty", False) is not hasty:
        driver.rows(_UNFLUSHED if hasty else _FLUSHED)
        info["hasty"] = hasty
