"""The one database of gallery and enrolments, at the schema of this version."""

import structlog
from sqlalchemy import Engine, create_engine

from personhood import schema
from personhood.keys import template_keys
from personhood.settings import Settings
from uniqueness.database import prepare

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
