"""Statements that every decision runs, handed to the driver as text.

SQLAlchemy writes each of them once for each kind of database. To let it also run them takes three
times as long as SQLite itself does (`benchmarks/gallery.py latency`), and that while the gallery
is locked. So parameters and columns are only of types that both drivers take and give as they are:
whole numbers, text, bytes and null.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Select, TextClause, Update
from sqlalchemy.engine.interfaces import DBAPIModule
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Parameters = Mapping[str, object]
Row = tuple[Any, ...]  # as the driver gives it
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
        self._compiled: dict[str, SQLCompiler] = {}  # by dialect

    def rows(self, connection: Connection, parameters: Parameters | None = None) -> list[Row]:
        """Run it and read all that it finds.

        Raises:
            sqlalchemy.exc.DBAPIError: the database failed.
        """
        compiled = self._compile(connection)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.string, _positional(compiled, parameters or {}))
            return list(cursor.fetchall())
        except connection.dialect.loaded_dbapi.Error as error:
            raise _fault(connection, compiled, error) from error
        finally:
            cursor.close()

    def run(self, connection: Connection, many: Sequence[Parameters]) -> None:
        """Run it for each set of parameters.

        Raises:
            sqlalchemy.exc.DBAPIError: the database failed.
        """
        compiled = self._compile(connection)
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(compiled.string, [_positional(compiled, one) for one in many])
        except connection.dialect.loaded_dbapi.Error as error:
            raise _fault(connection, compiled, error) from error
        finally:
            cursor.close()

    def _compile(self, connection: Connection) -> SQLCompiler:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            made = self._statement(connection) if callable(self._statement) else self._statement
            compiled = made.compile(dialect=dialect, column_keys=self._columns)
            self._compiled[dialect.name] = compiled
        return compiled


def _positional(compiled: SQLCompiler, parameters: Parameters) -> Any:
    """SQLite's driver takes a tuple, psycopg a mapping; constants of the statement are added."""
    if compiled.params:
        parameters = {**compiled.params, **parameters}
    if compiled.positiontup is None:
        return parameters
    return tuple(parameters[name] for name in compiled.positiontup)


def _fault(connection: Connection, compiled: SQLCompiler, error: DBAPIModule.Error) -> Exception:
    """The error as SQLAlchemy raises it; a connection that broke is not used again."""
    dbapi = connection.dialect.loaded_dbapi
    broken = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if broken:
        connection.invalidate(error)
    return DBAPIError.instance(
        compiled.string,
        None,
        error,
        dbapi.Error,
        hide_parameters=True,
        connection_invalidated=broken,
        dialect=connection.dialect,
    )
