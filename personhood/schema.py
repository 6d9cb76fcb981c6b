"""The version of the database's schema: which it is, and how it is moved.

A step and its record are one transaction: a process that dies leaves the version before it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from personhood.errors import DatabaseAhead, DatabaseBehind
from uniqueness.database import writer
from uniqueness.files import replacing
from uniqueness.ownership import Ownership
from uniqueness.sealing import Keyring

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x706572736F6E  # of PostgreSQL's advisory locks, for one upgrade at a time


def head_revision() -> str:
    """The schema of this version of the program."""
    return _scripts().get_current_head() or ""


def current_revision(connection: Connection) -> str | None:
    """The schema of a database; None where none of our tables is."""
    recorded = MigrationContext.configure(connection).get_current_revision()
    if recorded is not None:
        return recorded
    # The first version, and whoever uses the stores without this module, record none.
    inspector = inspect(connection)
    tables = set(inspector.get_table_names())
    if "templates" not in tables:
        return None
    columns = {column["name"] for column in inspector.get_columns("templates")}
    return "0001" if "person_id" in columns else head_revision()


def check(engine: Engine) -> None:
    """Refuse a database that this version of the program cannot use.

    Raises:
        DatabaseBehind, DatabaseAhead: of another version; the message says what to do.
    """
    with engine.connect() as connection:
        current = current_revision(connection)
    if current == head_revision():
        return
    if current is not None and current not in _known():
        raise _ahead(current)
    raise DatabaseBehind(
        f"the database has schema {current or 'none'}, this version needs {head_revision()}: stop "
        "every service, make a backup, then run `personhood db upgrade`"
    )


def is_empty(engine: Engine) -> bool:
    """Whether there is nothing that an upgrade could lose."""
    with engine.connect() as connection:
        return not inspect(connection).get_table_names()


def is_current(engine: Engine) -> bool:
    """Whether it is of this version."""
    with engine.connect() as connection:
        return current_revision(connection) == head_revision()


def upgrade(engine: Engine, keyring: Keyring, revision: str = "head") -> Path | None:
    """Bring a database to a later schema; does nothing where it is there already.

    Args:
        keyring: sealed records are bound to their row, so a new form of row needs a new seal.

    Returns:
        Where the copy of a SQLite database lies that was made before.

    Raises:
        DatabaseAhead: of a later version of the program.
        GalleryOwned: a service runs on it.
        WrongKey, RecordCorrupted: a record cannot be carried over; nothing was changed.
    """
    with Ownership(engine), writer(engine).begin() as connection:
        current = _lock(connection)
        if current == (head_revision() if revision == "head" else revision):
            _record(connection, current)
            return None
        copy = _copy(connection, current) if current else None
        _record(connection, current)
        command.upgrade(_config(connection, keyring), revision)
    return copy


def downgrade(engine: Engine, keyring: Keyring, revision: str) -> Path | None:
    """Bring a database back to an earlier schema; see `upgrade`."""
    with Ownership(engine), writer(engine).begin() as connection:
        current = _lock(connection)
        copy = _copy(connection, current) if current else None
        _record(connection, current)
        command.downgrade(_config(connection, keyring), revision)
    return copy


def _lock(connection: Connection) -> str | None:
    """Keep others from moving the schema until this transaction ends; SQLite does by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    current = current_revision(connection)
    if current is not None and current not in _known():
        raise _ahead(current)
    return current


def _record(connection: Connection, current: str | None) -> None:
    if MigrationContext.configure(connection).get_current_revision() != current and current:
        command.stamp(_config(connection, None), current)


def _copy(connection: Connection, revision: str) -> Path | None:
    """Copy a SQLite database as it was before this transaction."""
    database = connection.engine.url.database
    if connection.dialect.name != "sqlite" or not database or database == ":memory:":
        return None
    path = Path(f"{database}.{revision}.backup")
    with replacing(path) as file:
        name = file.name
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(name)) as target:
            source.backup(target)
    return path


def _ahead(revision: str) -> DatabaseAhead:
    return DatabaseAhead(
        f"the database has schema {revision}, which a later version of this program made: use "
        "that version, or let it run `personhood db downgrade`"
    )


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None, None))


def _config(connection: Connection | None, keyring: Keyring | None) -> Config:
    config = Config(attributes={"connection": connection, "keyring": keyring})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
