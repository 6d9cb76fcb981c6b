"""Transactions of this package's tables, and what their failure is called."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from enrollment.errors import EnrollmentStoreUnavailable
from uniqueness.database import hasty_writer, turn, writer


class Base(DeclarativeBase):
    """The tables of this package."""


class Database:
    """Transactions on one engine.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        tables: which; this package's.

    Raises:
        EnrollmentStoreUnavailable: here, and out of every transaction, the database failed.
    """

    def __init__(self, engine: Engine, tables: MetaData = Base.metadata) -> None:
        self._reader = engine
        self._writer = writer(engine)
        self._hasty_writer = hasty_writer(engine)
        with _faults_translated():
            tables.create_all(self._writer)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view."""
        with _faults_translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, hasty: bool = False) -> Iterator[Connection]:
        """All of it, durably, or nothing.

        Args:
            hasty: do not wait for the disk; see `uniqueness.database.hasty_writer`.
        """
        engine = self._hasty_writer if hasty else self._writer
        with turn(engine), _faults_translated(), engine.begin() as connection:
            yield connection


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise EnrollmentStoreUnavailable(
            "The enrolment database failed. Send the same request again."
        ) from error
