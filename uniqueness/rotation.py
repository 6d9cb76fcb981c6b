"""Sealing every record anew under the active key, beside running galleries.

    1. a new key becomes active, the one before is retired           `KeyFiles.replace_active`
    2. the gallery's lock is taken once and let go                   `reseal`
    3. record by record, in small transactions: opened, sealed anew  `reseal`

A gallery looks which key is active each time it seals, and seals under the lock alone: so after
step 2 nothing more is sealed with the retired key, and after step 3 nothing is left of it. Dying at
any point loses nothing, for both keys are there until somebody destroys the retired one; whoever
goes on later finds what is left by the key ids.

A key is to be retired before it sealed 2^32 records (`MAX_RECORDS_PER_KEY`): with random 96-bit
nonces the chance that two of them are equal is then 2^-32 (NIST SP 800-38D, section 8.3).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from uniqueness.database import prepare, writer
from uniqueness.errors import GalleryUnavailable
from uniqueness.records import Records, template_context, verdict_context
from uniqueness.schema import TemplateRow, VerdictRow
from uniqueness.sealing import Keyring, SealedRecord

_BATCH = 256  # records a transaction: the lock is held for some 10 ms


@dataclass(frozen=True)
class KeyUse:
    """How many records are sealed with each key, by the key's id."""

    templates: dict[str, int]
    verdicts: dict[str, int]

    def records(self, key_id: str) -> int:
        """All records of one key."""
        return self.templates.get(key_id, 0) + self.verdicts.get(key_id, 0)

    @property
    def key_ids(self) -> set[str]:
        """Keys without which something could not be read."""
        return {*self.templates, *self.verdicts}


def key_use(engine: Engine) -> KeyUse:
    """Count the records of each key.

    Raises:
        GalleryUnavailable: the database failed.
    """
    with _transaction(prepare(engine)) as connection:
        return KeyUse(*(_count(connection, table) for table in (TemplateRow, VerdictRow)))


def reseal(
    engine: Engine, keyring: Keyring, on_progress: Callable[[int], None] = lambda _: None
) -> int:
    """Seal every record anew that is not sealed with the active key.

    Args:
        engine: of the gallery's database, which galleries may use at the same time.
        keyring: with all the keys.
        on_progress: told after each transaction how many records were sealed in it.

    Returns:
        How many records were sealed.

    Raises:
        WrongKey, RecordCorrupted: a record cannot be opened; those before it are done.
        GalleryUnavailable: the database failed; calling again goes on.
    """
    writing = writer(engine)
    with _transaction(writing) as connection:
        Records(keyring).head(connection, lock=True)  # step 2
    total = 0
    for step in (_reseal_templates, _reseal_verdicts):
        last: int | str | None = None
        while True:
            started = time.monotonic()
            with _transaction(writing) as connection:
                last, count = step(connection, keyring, last)
            if not count:
                break
            total += count
            on_progress(count)
            time.sleep(time.monotonic() - started)  # as much time for the others
    return total


def _reseal_templates(
    connection: Connection, keyring: Keyring, after: int | str | None
) -> tuple[int | None, int]:
    row = TemplateRow
    query = select(row.sequence, row.person, row.model, row.key_id, row.nonce, row.ciphertext)
    query = query.where(row.key_id != keyring.key_id).order_by(row.sequence).limit(_BATCH)
    if after is not None:
        query = query.where(row.sequence > after)
    rows = connection.execute(query.with_for_update()).all()
    for sequence, person, model, *sealed in rows:
        context = template_context(sequence, person, model)
        values = _sealed_anew(keyring, sealed, context)
        connection.execute(update(row).where(row.sequence == sequence).values(values))
    return (rows[-1][0] if rows else None), len(rows)


def _reseal_verdicts(
    connection: Connection, keyring: Keyring, after: int | str | None
) -> tuple[str | None, int]:
    row = VerdictRow
    query = select(row.request_id, row.decision, row.key_id, row.nonce, row.ciphertext)
    query = query.where(row.key_id != keyring.key_id).order_by(row.request_id).limit(_BATCH)
    if after is not None:
        query = query.where(row.request_id > after)
    rows = connection.execute(query.with_for_update()).all()
    for request_id, decision, *sealed in rows:
        values = _sealed_anew(keyring, sealed, verdict_context(request_id, decision))
        connection.execute(update(row).where(row.request_id == request_id).values(values))
    return (rows[-1][0] if rows else None), len(rows)


def _sealed_anew(keyring: Keyring, sealed: Sequence[Any], context: bytes) -> dict[str, object]:
    record = SealedRecord(*sealed)
    new = keyring.seal(keyring.open(record, context=context), context=context)
    return {"key_id": new.key_id, "nonce": new.nonce, "ciphertext": new.ciphertext}


def _count(connection: Connection, table: type[TemplateRow | VerdictRow]) -> dict[str, int]:
    query = select(table.key_id, func.count()).group_by(table.key_id)
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
