"""Statements that every decision runs, handed to the driver as text.

SQLAlchemy writes each of them once for each kind of database. To let it also run them takes three
times as long as SQLite itself does (`benchmarks/gallery.py latency`), and that while the gallery
is locked. So parameters and columns are only of types that both drivers take and give as they are:
whole numbers, text, bytes and null; and each value of a statement is written in it or given.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Select, TextClause, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIModule
from sqlalchemy.exc import DBAPIError

Parameters = Mapping[str, object]
Row = tuple[Any, ...]  # as the driver gives it
_SQLITE = sqlite.dialect(paramstyle="named")  # psycopg's parameters have names by themselves

Statement = Select[*tuple[Any, ...]] | Insert | Update | TextClause


class Prepared:
    """One statement.

    Args:
        statement: for any database, or what makes it for the database of a connection.
        columns: of an insert, the ones that are given.
    """

    def __init__(
        self,
        statement: Statement | Callable[[Connection], Statement],
        columns: Sequence[str] | None = None,
    ) -> None:
        self._statement = statement
        self._columns = columns
        self._written: dict[str, str] = {}  # by dialect

    def rows(self, connection: Connection, parameters: Parameters | None = None) -> list[Row]:
        """Run it and read all that it finds.

        Raises:
            sqlalchemy.exc.DBAPIError: the database failed.
        """
        text = self._write(connection)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, parameters or {})
            return list(cursor.fetchall())
        except connection.dialect.loaded_dbapi.Error as error:
            raise _fault(connection, text, error) from error
        finally:
            cursor.close()

    def run(self, connection: Connection, many: Sequence[Parameters]) -> None:
        """Run it for each set of parameters.

        Raises:
            sqlalchemy.exc.DBAPIError: the database failed.
        """
        text = self._write(connection)
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(text, many)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _fault(connection, text, error) from error
        finally:
            cursor.close()

    def _write(self, connection: Connection) -> str:
        dialect = connection.dialect
        text = self._written.get(dialect.name)
        if text is None:
            made = self._statement(connection) if callable(self._statement) else self._statement
            by_name = _SQLITE if dialect.name == "sqlite" else dialect
            text = str(made.compile(dialect=by_name, column_keys=self._columns))
            self._written[dialect.name] = text
        return text


def _fault(connection: Connection, text: str, error: DBAPIModule.Error) -> Exception:
    """The error as SQLAlchemy raises it; a connection that broke is not used again."""
    dbapi = connection.dialect.loaded_dbapi
    broken = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if broken:
        connection.invalidate(error)
    return DBAPIError.instance(
        text,
        None,
        error,
        dbapi.Error,
        hide_parameters=True,
        connection_invalidated=broken,
        dialect=connection.dialect,
    )
