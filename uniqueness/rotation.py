"""Sealing every record anew under the active key, beside running services.

    1. a new key becomes active, the one before is retired           `KeyFiles.replace_active`
    2. whoever is sealing is waited for                              `reseal`
    3. record by record, in small transactions: opened, sealed anew  `reseal`

Whoever seals looks which key is active each time, and seals under the gallery's lock or after
`announce_sealing` alone: so after step 2 nothing more is sealed with the retired key, and after
step 3 nothing is left of it. Dying at any point loses nothing, for both keys are there until
somebody destroys the retired one; whoever goes on later finds what is left by the key ids.

A key is to be retired before it sealed 2^32 records (`MAX_RECORDS_PER_KEY`): with random 96-bit
nonces the chance that two of them are equal is then 2^-32 (NIST SP 800-38D, section 8.3).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from uniqueness.database import prepare, writer
from uniqueness.errors import GalleryUnavailable
from uniqueness.prepared import Driver
from uniqueness.records import Records, template_context, verdict_context
from uniqueness.schema import TemplateRow, VerdictRow
from uniqueness.sealing import Keyring, SealedRecord

Row = Any  # SQLAlchemy does not know the types of a whole table's columns

_BATCH = 256  # records a transaction: the lock is held for some 10 ms
_SEALING = 0x7365616C  # PostgreSQL advisory lock: shared by who seals, taken once by a rotation


@dataclass(frozen=True, eq=False)
class SealedTable:
    """A table of which each row has `key_id`, `nonce` and `ciphertext`, or none of them.

    Args:
        model: with a primary key of one column.
        context: what a row's seal is bound to.
        follows: other columns that depend on the key, given the keyring, the id of the new key and
            the opened record.
    """

    model: type[DeclarativeBase]
    context: Callable[[Row], bytes]
    follows: Callable[[Keyring, str, bytes], dict[str, object]] = lambda *_: {}

    @property
    def table(self) -> Table:
        """The table itself."""
        return self.model.metadata.tables[self.model.__tablename__]


GALLERY_TABLES = (
    SealedTable(
        TemplateRow, lambda row: template_context(row["sequence"], row["person"], row["model"])
    ),
    SealedTable(VerdictRow, lambda row: verdict_context(row["request_id"], row["decision"])),
)


def announce_sealing(connection: Connection) -> None:
    """Keep a rotation waiting until this transaction, which is going to seal, has ended.

    On SQLite whoever writes is alone anyhow.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _SEALING})


@dataclass(frozen=True)
class KeyUse:
    """How many records are sealed with each key.

    Args:
        by_table: by the table's name and the key's id.
    """

    by_table: dict[str, dict[str, int]]

    def records(self, key_id: str) -> int:
        """All records of one key."""
        return sum(counts.get(key_id, 0) for counts in self.by_table.values())

    @property
    def key_ids(self) -> set[str]:
        """Keys without which something could not be read."""
        return set[str]().union(*self.by_table.values())


def key_use(engine: Engine, tables: Sequence[SealedTable] = GALLERY_TABLES) -> KeyUse:
    """Count the records of each key.

    Raises:
        GalleryUnavailable: the database failed.
    """
    with _transaction(prepare(engine)) as connection:
        return KeyUse({s.table.name: _count(connection, s.table) for s in tables})


def reseal(
    engine: Engine,
    keyring: Keyring,
    on_progress: Callable[[int], None] = lambda _: None,
    *,
    tables: Sequence[SealedTable] = GALLERY_TABLES,
) -> int:
    """Seal every record anew that is not sealed with the active key.

    Args:
        engine: of the database, which services may use at the same time.
        keyring: with all the keys.
        on_progress: told after each transaction how many records were sealed in it.
        tables: whose records.

    Returns:
        How many records were sealed.

    Raises:
        WrongKey, RecordCorrupted: a record cannot be opened; those before it are done.
        GalleryUnavailable: the database failed; calling again goes on.
    """
    writing = writer(engine)
    with _transaction(writing) as connection:  # step 2
        Records(keyring).head(Driver(connection), lock=True)
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEALING})
    total = 0
    for sealed in tables:
        last: int | str | None = None
        while True:
            started = time.monotonic()
            with _transaction(writing) as connection:
                last, count = _reseal_some(connection, keyring, sealed, last)
            if not count:
                break
            total += count
            on_progress(count)
            time.sleep(time.monotonic() - started)  # as much time for the others
    return total


def _reseal_some(
    connection: Connection, keyring: Keyring, sealed: SealedTable, after: int | str | None
) -> tuple[int | str | None, int]:
    table = sealed.table
    (place,) = table.primary_key
    query = select(table).where(table.c.key_id != keyring.key_id).order_by(place).limit(_BATCH)
    if after is not None:
        query = query.where(place > after)
    rows = connection.execute(query.with_for_update()).mappings().all()
    for row in rows:
        values = _sealed_anew(keyring, sealed, row)
        connection.execute(update(table).where(place == row[place]).values(values))
    return (rows[-1][place] if rows else None), len(rows)


def _sealed_anew(keyring: Keyring, sealed: SealedTable, row: Row) -> dict[str, object]:
    context = sealed.context(row)
    record = SealedRecord(row["key_id"], row["nonce"], row["ciphertext"])
    content = keyring.open(record, context=context)
    new = keyring.seal(content, context=context)
    return {
        "key_id": new.key_id,
        "nonce": new.nonce,
        "ciphertext": new.ciphertext,
        **sealed.follows(keyring, new.key_id, content),
    }


def _count(connection: Connection, table: Table) -> dict[str, int]:
    query = select(table.c.key_id, func.count()).group_by(table.c.key_id)
    return {key_id: count for key_id, count in connection.execute(query) if key_id is not None}


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise GalleryUnavailable(
            "the gallery's database failed while records were sealed anew: run it again, it goes on"
        ) from error
