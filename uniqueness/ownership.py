"""One owner for one gallery: an exclusive lock that the kernel drops when its process dies."""

import fcntl
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine

from uniqueness.errors import GalleryOwned


class Ownership:
    """Holds a lock file's exclusive lock until `release`.

    Raises:
        GalleryOwned: somebody holds it.
    """

    def __init__(self, lock_file: Path) -> None:
        self._file: BinaryIO = lock_file.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise GalleryOwned(
                f"another process owns this gallery ({lock_file}): stop it first, two owners "
                "could accept one person twice"
            ) from None

    def release(self) -> None:
        """Let go; the file stays, since removing it would race with the next owner."""
        self._file.close()


def lock_file_of(engine: Engine) -> Path | None:
    """Where a SQLite gallery's lock lies: beside its database file. None for other databases."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database or database == ":memory:":
        return None
    return Path(f"{database}.owner")
