"""The one database of gallery and enrolments, at the schema of this version."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine, create_engine

from personhood import schema
from personhood.keys import template_keys
from personhood.settings import Settings
from uniqueness.database import prepare
from uniqueness.ownership import Ownership

_log = structlog.get_logger("personhood")


def engine_of(settings: Settings) -> Engine:
    """Connect, whatever the schema is."""
    return prepare(create_engine(settings.database()))


def open_database(settings: Settings, *, upgrade: bool = False) -> Engine:
    """Connect to a database of this version's schema; an empty one gets it.

    Args:
        upgrade: bring a SQLite database of an earlier version forward, and keep a copy beside it.
            Others are upgraded by their operator, since more than this process may use them.

    Raises:
        DatabaseBehind, DatabaseAhead: the schema is another version's.
    """
    engine = engine_of(settings)
    try:
        if schema.is_current(engine):
            return engine
        if (upgrade and engine.dialect.name == "sqlite") or schema.is_empty(engine):
            if copy := schema.upgrade(engine, template_keys(settings)):
                _log.warning("database_upgraded", copy_before=str(copy))
        else:
            schema.check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def owned(
    engine: Engine,
    *,
    stop: threading.Event | None = None,
    on_lost: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Own a database for as long as the block runs; see `Ownership`.

    Raises:
        GalleryOwned: another service does.
        DatabaseBehind, DatabaseAhead: while this one waited, another version moved the schema.
    """
    with Ownership(engine, stop=stop, on_lost=on_lost):
        schema.check(engine)
        yield
