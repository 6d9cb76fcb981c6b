"""One enrolment service for one database: a lock that is dropped when its process dies.

Several galleries may decide on one database. The service around one may not run twice: at its
start it settles what a crash left half done, and would take a running one's work for that.
"""

import fcntl
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from uniqueness.errors import GalleryOwned

_LOCK = 0x656E726F6C  # PostgreSQL advisory lock, one number in each database
_LOOK = 1.0  # seconds between two looks at a lock that somebody else holds, or that may be lost

_log = logging.getLogger(__name__)


class Ownership:
    """Held until `release`, or to the end of a `with` block.

    Beside a SQLite file it is the exclusive lock of a file; on PostgreSQL an advisory lock of a
    connection that is kept for it. A database in memory has nobody else to fear.

    Args:
        engine: of the database.
        stop: with it, wait until nobody else holds it, or until this is set.
        on_lost: called once, in a thread of its own, where the connection that holds the lock
            breaks: somebody else may be the owner now.

    Raises:
        GalleryOwned: somebody holds it, and to the end of the waiting.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        stop: threading.Event | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._held = _hold(engine, stop)
        self._released = threading.Event()
        self._watch: threading.Thread | None = None
        if on_lost and isinstance(self._held, Connection):
            self._watch = threading.Thread(
                target=self._keep_watch, args=(self._held, on_lost), name="owner-watch", daemon=True
            )
            self._watch.start()

    def release(self) -> None:
        """Let go; a lock file stays, since removing it would race with the next owner."""
        self._released.set()
        if self._watch:
            self._watch.join()
        held, self._held = self._held, None
        if isinstance(held, Connection):
            # A broken connection has lost the lock already.
            with held, suppress(SQLAlchemyError):
                held.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        elif held is not None:
            held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _keep_watch(self, held: Connection, on_lost: Callable[[], None]) -> None:
        while not self._released.wait(_LOOK):
            try:
                held.execute(text("SELECT 1"))
            except SQLAlchemyError:
                _log.error("[gallery_ownership_lost] the connection that held the lock broke")
                on_lost()
                return


def _hold(engine: Engine, stop: threading.Event | None) -> BinaryIO | Connection | None:
    while True:
        try:
            if engine.dialect.name == "postgresql":
                return _advisory_lock(engine)
            if (database := engine.url.database) and database != ":memory:":
                return _file_lock(Path(f"{database}.owner"))
        except GalleryOwned:
            if stop is None or stop.wait(_LOOK):
                raise
        else:
            return None


def _file_lock(path: Path) -> BinaryIO:
    file: BinaryIO = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise _owned(str(path)) from None
    return file


def _advisory_lock(engine: Engine) -> Connection:
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK})
    if not taken:
        connection.close()
        raise _owned("an advisory lock of its database")
    return connection


def _owned(lock: str) -> GalleryOwned:
    return GalleryOwned(
        f"another enrolment service runs on this database ({lock}): stop it first, or start this "
        "one with --standby to take its place when it ends"
    )
