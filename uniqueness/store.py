"""The truth of the gallery, in a database: sealed templates, answers, and what was counted.

Without the template key nothing here links a person to a request; no single score is kept, and
no time finer than an hour. One transaction holds everything that a batch of decisions changes.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import numpy as np
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from uniqueness.candidates import Identification
from uniqueness.census import people_by_models, templates_by_model
from uniqueness.database import Writing, insert_for, turn, writer
from uniqueness.errors import GalleryUnavailable
from uniqueness.index import IdArray
from uniqueness.lineage import Lineage
from uniqueness.prepared import Driver
from uniqueness.records import Head, Records, TemplatesByModel
from uniqueness.schema import HEAD, Base, HeadRow
from uniqueness.sealing import Keyring
from uniqueness.tally import REJECTED, Outcome, current_hour, log_outcomes
from uniqueness.template import FloatArray
from uniqueness.transaction import GalleryTransaction

_CHUNK = 8192  # templates read at a time
_SCHEMA_LOCK = 0x706572736F6E  # PostgreSQL advisory lock: one process makes the tables

T = TypeVar("T")


class Standing(NamedTuple):
    """The database as a batch finds it before it searches.

    Args:
        head: of the gallery.
        verdicts: the answers that some of the batch's requests got before.
    """

    head: Head
    verdicts: dict[str, Identification]


class GalleryStore:
    """Reads and writes the tables of a gallery.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        records: how rows are read and written, or the template keys alone.

    Raises:
        GalleryUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, records: Keyring | Records) -> None:
        self._records = Records(records) if isinstance(records, Keyring) else records
        self._engine = engine
        self._writer = writer(engine)
        self._deciding: Writing | None = None
        self._lock = threading.Lock()  # of that connection
        with self._write() as connection:
            create_tables(connection)

    @property
    def engine(self) -> Engine:
        """The engine that was given."""
        return self._engine

    def commit(self, work: Callable[[GalleryTransaction], T], *, hasty: bool = False) -> T:
        """Do some work under the gallery's lock and commit all of it, or nothing if it raises.

        Args:
            work: what to do.
            hasty: do not wait for the disk; see `uniqueness.database.Writing.begin`.
        """
        with self._lock, turn(self._engine), _faults_translated():
            if self._deciding is None:
                self._deciding = Writing(self._engine)
            try:
                self._deciding.begin(hasty=hasty)
                transaction = GalleryTransaction(self._deciding, self._records)
                result = work(transaction)
                transaction.flush()
                self._deciding.commit()
            except BaseException:
                self._let_go()
                raise
        return result

    def close(self) -> None:
        """Close the connection that `commit` keeps; the store can be used on."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._deciding is not None:
            self._deciding.close()
            self._deciding = None

    def standing(self, request_ids: Sequence[str]) -> Standing:
        """Read, in one view, what a batch needs to know before it searches."""
        with self._read() as connection:
            driver = Driver(connection)
            head = self._records.head(driver)
            verdicts = self._records.verdicts(driver, request_ids)
        return Standing(head, verdicts)

    def head(self) -> Head:
        """Read how far the gallery is."""
        with self._read() as connection:
            return self._records.head(Driver(connection))

    def verdicts(self, request_ids: Sequence[str]) -> dict[str, Identification]:
        """Look up the answers that requests got before."""
        with self._read() as connection:
            return self._records.verdicts(Driver(connection), request_ids)

    def templates(self, *, after: int, until: int) -> Iterator[TemplatesByModel]:
        """Read templates in order of their sequence numbers, in chunks.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        while True:
            with self._read() as connection:
                chunk = self._records.templates(connection, after=after, until=until, limit=_CHUNK)
            if not chunk:
                return
            yield chunk
            after = max(int(templates.sequences[-1]) for templates in chunk.values())

    def removed_sequences(self, *, after: int, until: int) -> IdArray:
        """(m,) int64, all templates of the people whose removal has a number in (after, until]."""
        with self._read() as connection:
            return self._records.removed_sequences(connection, after=after, until=until)

    def templates_of_people_at(self, sequences: Sequence[int]) -> TemplatesByModel:
        """Read all templates, of all models, of the people who have those of some numbers."""
        with self._read() as connection:
            persons = self._records.persons_at(connection, sequences)
            return self._records.templates_of(connection, persons)

    def vectors_of(self, sequences: IdArray, dimension: int) -> FloatArray:
        """Read vectors by their numbers, to score them again exactly.

        Args:
            sequences: (n,) int64.
            dimension: d of their model.

        Returns:
            (n, d) float32 in the order asked for; zeros for a template that was removed.
        """
        vectors = np.zeros((len(sequences), dimension), np.float32)
        with self._read() as connection:
            found = self._records.templates_at(connection, sequences.tolist())
        for templates in found.values():
            rows = np.searchsorted(templates.sequences, sequences).clip(max=len(templates) - 1)
            here = templates.sequences[rows] == sequences
            vectors[here] = templates.vectors[rows[here]]
        return vectors

    def lineage(self, horizon: int) -> Lineage:
        """Read what the last numbers up to a horizon were given to."""
        with self._read() as connection:
            return Lineage.read(connection, self._records, horizon)

    def models(self) -> tuple[str, ...]:
        """Names of the models that have templates of enrolled people."""
        return tuple(self.templates_by_model())

    def people_by_models(self) -> dict[frozenset[str], int]:
        """Count people by the models of which they have templates."""
        with self._read() as connection:
            return people_by_models(connection)

    def templates_by_model(self) -> dict[str, int]:
        """Count templates of enrolled people."""
        with self._read() as connection:
            return templates_by_model(connection)

    def record_rejection(self, reason: str, model: str) -> None:
        """Log that a capture never became a probe, by the code of its reason."""
        with self._write() as connection:
            log_outcomes(Driver(connection), [Outcome(REJECTED, model, reason)], current_hour())

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _faults_translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with turn(self._engine), _faults_translated(), self._writer.begin() as connection:
            yield connection


def create_tables(connection: Connection) -> None:
    """Make the tables and the head that are not there; safe for several processes at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
    Base.metadata.create_all(connection)
    head = {"id": HEAD, "last_sequence": 0, "last_person": 0, "people": 0}
    connection.execute(insert_for(connection, HeadRow).values(head).on_conflict_do_nothing())


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise GalleryUnavailable(
            "the gallery's database failed, nothing was decided: look at the service's log, then "
            "send the same request again"
        ) from error
