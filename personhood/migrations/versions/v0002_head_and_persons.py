"""One head row hands out numbers; people have numbers, can be removed, and are named by verdicts.

A sealed template is bound to its place, its person and its model, which are other values from here
on: each is opened as it was bound before and sealed anew. Where one does not open, nothing at all
is changed.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from uniqueness.sealing import Keyring, SealedRecord

revision = "0002"
down_revision = "0001"

_Row = Mapping[Any, Any]

_CHUNK = 4096  # rows in memory at a time
_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Give people numbers in the order in which they were enrolled."""
    head = op.create_table(
        "gallery_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("last_person", sa.BigInteger, nullable=False),
        sa.Column("people", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "removals",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, nullable=False, unique=True),
        sa.Column("hour", sa.Integer, nullable=False),
    )
    templates = op.create_table(
        "templates_new",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("nonce", sa.LargeBinary),
        sa.Column("ciphertext", sa.LargeBinary),
    )
    numbers: dict[str, int] = {}
    keyring = _keyring()

    def numbered(row: _Row) -> dict[str, Any]:
        person = numbers.setdefault(row["person_id"], len(numbers) + 1)
        old, new = (
            _old_context(row["template_id"], row["model"]),
            _new_context({**row, "person": person}),
        )
        kept = {name: row[name] for name in ("sequence", "model")}
        return {**kept, "person": person, **_sealed_anew(keyring, row, old, new)}

    last = _move_rows(templates, numbered)
    op.bulk_insert(
        head,
        [{"id": 1, "last_sequence": last, "last_person": len(numbers), "people": len(numbers)}],
    )
    op.create_index("templates_person_model", "templates", ["person", "model"])
    for column in (
        sa.Column("key_id", sa.String(16)),
        sa.Column("nonce", sa.LargeBinary),
        sa.Column("ciphertext", sa.LargeBinary),
    ):
        op.add_column("verdicts", column)


def downgrade() -> None:
    """Forget removed people and which person a verdict names; the earlier version has neither."""
    templates = op.create_table(
        "templates_new",
        sa.Column("sequence", _COUNTER, primary_key=True),
        sa.Column("template_id", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("template_id", name="templates_template_id_key"),
        sqlite_autoincrement=True,
    )
    keyring = _keyring()
    names: dict[int, str] = {}

    def named(row: _Row) -> dict[str, Any] | None:
        if row["ciphertext"] is None:
            return None
        template_id = uuid.uuid4().hex
        person_id = names.setdefault(row["person"], uuid.uuid4().hex)
        kept = {name: row[name] for name in ("sequence", "model")}
        old, new = _new_context(row), _old_context(template_id, row["model"])
        return {
            **kept,
            "template_id": template_id,
            "person_id": person_id,
            **_sealed_anew(keyring, row, old, new),
        }

    _move_rows(templates, named)
    op.create_index("ix_templates_person_id", "templates", ["person_id"])
    _go_on_counting()
    op.drop_table("gallery_head")
    op.drop_table("removals")
    for column in ("key_id", "nonce", "ciphertext"):
        op.drop_column("verdicts", column)


def _move_rows(new: sa.Table, change: Callable[[_Row], dict[str, Any] | None]) -> int:
    """Put the templates into the new table, which takes their name; returns the last number."""
    connection = op.get_bind()
    last = 0
    for rows in _chunks(connection):
        changed = [values for row in rows if (values := change(row)) is not None]
        if changed:
            connection.execute(sa.insert(new), changed)
        last = rows[-1]["sequence"]
    op.drop_table("templates")
    op.rename_table("templates_new", "templates")
    if connection.dialect.name == "postgresql":
        op.execute("ALTER INDEX templates_new_pkey RENAME TO templates_pkey")
    return last


def _chunks(connection: sa.Connection) -> Iterator[Sequence[_Row]]:
    old = sa.Table("templates", sa.MetaData(), autoload_with=connection)
    last = -1
    while True:
        query = sa.select(old).where(old.c.sequence > last).order_by(old.c.sequence).limit(_CHUNK)
        rows = connection.execute(query).mappings().all()
        if not rows:
            return
        yield rows
        last = rows[-1]["sequence"]


def _sealed_anew(keyring: Keyring, row: _Row, old: bytes, new: bytes) -> dict[str, Any]:
    record = SealedRecord(row["key_id"], row["nonce"], row["ciphertext"])
    sealed = keyring.seal(keyring.open(record, context=old), context=new)
    return {"key_id": sealed.key_id, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext}


def _go_on_counting() -> None:
    """PostgreSQL numbers by a sequence, which knows nothing of rows that were put in."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "SELECT setval(pg_get_serial_sequence('templates', 'sequence'), "
            "(SELECT last_sequence + 1 FROM gallery_head), false)"
        )
    else:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'templates'")
        op.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'templates', last_sequence "
            "FROM gallery_head"
        )


def _keyring() -> Keyring:
    keyring: Keyring = op.get_context().config.attributes["keyring"]  # type: ignore[union-attr]
    return keyring


def _old_context(template_id: str, model: str) -> bytes:
    return f"personhood template\0{template_id}\0{model}".encode()


def _new_context(row: _Row) -> bytes:
    return f"template\0{row['sequence']}\0{row['person']}\0{row['model']}".encode()
