"""One enrolment service for one database: a lock that is dropped when its process dies.

Several galleries may decide on one database. The service around one may not run twice: at its
start it settles what a crash left half done, and would take a running one's work for that.
"""

import fcntl
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from uniqueness.errors import GalleryOwned

_LOCK = 0x656E726F6C  # PostgreSQL advisory lock, one number in each database


class Ownership:
    """Held until `release`, or to the end of a `with` block.

    Beside a SQLite file it is the exclusive lock of a file; on PostgreSQL an advisory lock of a
    connection that is kept for it. A database in memory has nobody else to fear.

    Raises:
        GalleryOwned: somebody holds it.
    """

    def __init__(self, engine: Engine) -> None:
        self._held: BinaryIO | Connection | None = None
        if engine.dialect.name == "postgresql":
            self._held = _advisory_lock(engine)
        elif (database := engine.url.database) and database != ":memory:":
            self._held = _file_lock(Path(f"{database}.owner"))

    def release(self) -> None:
        """Let go; a lock file stays, since removing it would race with the next owner."""
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
        f"another enrolment service runs on this database ({lock}): stop it first, this one would "
        "settle what that one is working on"
    )
