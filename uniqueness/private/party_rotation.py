"""A new key at rest for a party's store, also while the party runs."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from uniqueness.database import writer
from uniqueness.errors import GalleryUnavailable
from uniqueness.files import sync_directory
from uniqueness.key_files import KeyFiles
from uniqueness.private.party_entries import probe_context, template_context
from uniqueness.private.party_schema import EntryRow, PreparedRow
from uniqueness.sealing import SealedRecord

_AT_A_TIME = 256  # rows sealed anew in one transaction


def rotate(engine: Engine, keys: KeyFiles, party: int) -> int:
    """Retire the key, seal everything anew, and delete the keys that nothing needs any more.

    What broke off goes on when it is called again; until then the store opens under both keys.

    Args:
        engine: of the party's database.
        keys: of its store.
        party: whose store it is.

    Returns:
        How many shares were sealed anew.

    Raises:
        WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        GalleryUnavailable: the database failed.
    """
    contexts: dict[type[DeclarativeBase], Callable[[Any], bytes]] = {
        EntryRow: lambda row: template_context(party, row.sequence, row.batch, row.row),
        PreparedRow: lambda row: probe_context(party, row.batch, row.row),
    }
    if len(keys.key_ids) == 1:  # or else one broke off
        keys.replace_active()
    count = 0
    for table, context in contexts.items():
        while sealed := _reseal_some(engine, keys, table, context):
            count += sealed
    for retired in keys.retired_directory.iterdir():
        retired.unlink()
    sync_directory(keys.retired_directory)
    return count


def _reseal_some(
    engine: Engine,
    keys: KeyFiles,
    kind: type[DeclarativeBase],
    context: Callable[[Any], bytes],
) -> int:
    table = kind.__table__
    outdated = select(table).where(table.c.key_id != keys.key_id).limit(_AT_A_TIME)
    try:
        with writer(engine).begin() as connection:
            rows = connection.execute(outdated).all()
            for row in rows:
                _reseal(connection, keys, table, row, context(row))
    except SQLAlchemyError as error:
        raise GalleryUnavailable(
            "the party's database failed while shares were sealed anew: run it again, it goes on"
        ) from error
    return len(rows)


def _reseal(connection: Connection, keys: KeyFiles, table: Any, row: Any, context: bytes) -> None:
    old = SealedRecord(row.key_id, row.nonce, row.ciphertext)
    new = keys.seal(keys.open(old, context=context), context=context)
    values = {"key_id": new.key_id, "nonce": new.nonce, "ciphertext": new.ciphertext}
    place = [column == getattr(row, column.name) for column in table.primary_key]
    connection.execute(update(table).where(*place).values(values))
