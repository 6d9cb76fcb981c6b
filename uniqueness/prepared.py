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
Statement = Select[*tuple[Any, ...]] | Insert | Update | TextClause

_SQLITE = sqlite.dialect(paramstyle="named")  # psycopg's parameters have names by themselves


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
        self._texts: dict[str, str] = {}  # by dialect

    def text(self, connection: Connection) -> str:
        """Write it for the driver of a connection, with parameters by their names."""
        dialect = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            made = self._statement(connection) if callable(self._statement) else self._statement
            by_name = _SQLITE if dialect.name == "sqlite" else dialect
            text = str(made.compile(dialect=by_name, column_keys=self._columns))
            self._texts[dialect.name] = text
        return text


class Driver:
    """The driver of a connection.

    Args:
        connection: runs all other statements, in the same transaction.

    Raises:
        sqlalchemy.exc.DBAPIError: in every method, the database failed.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._cursor = connection.connection.cursor()

    def rows(self, statement: Prepared, parameters: Parameters | None = None) -> list[Row]:
        """Run a statement and read all that it finds."""
        text = statement.text(self.connection)
        try:
            self._cursor.execute(text, parameters or {})
            return list(self._cursor.fetchall())
        except self.connection.dialect.loaded_dbapi.Error as error:
            raise self._fault(text, error) from error

    def run(self, statement: Prepared, many: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters."""
        text = statement.text(self.connection)
        try:
            self._cursor.executemany(text, many)
        except self.connection.dialect.loaded_dbapi.Error as error:
            raise self._fault(text, error) from error

    def commit(self) -> None:
        """End the transaction, whoever began it."""
        if self.connection.in_transaction():  # SQLAlchemy believes so once it ran a statement
            self.connection.commit()
            return
        try:
            self.connection.connection.commit()
        except self.connection.dialect.loaded_dbapi.Error as error:
            raise self._fault("COMMIT", error) from error

    def _fault(self, text: str, error: DBAPIModule.Error) -> Exception:
        """The error as SQLAlchemy raises it; a connection that broke is not used again."""
        connection = self.connection
        dialect, driver_connection = connection.dialect, connection.connection.dbapi_connection
        broken = dialect.is_disconnect(error, driver_connection, None)
        if broken:
            connection.invalidate(error)
        return DBAPIError.instance(
            text,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=broken,
            dialect=dialect,
        )
