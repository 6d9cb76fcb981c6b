"""A history of members, links to people, kept pictures, and reviews that people decide.

Every accepted enrolment becomes an addition to the history and is linked to the person whom the
gallery's verdict names. Verdicts of the first version name nobody: those people cannot be deleted
or recovered by their wallets.
"""

import hmac
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from uniqueness.sealing import Keyring, SealedRecord

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Move what the enrolments said of membership to where it belongs."""
    connection = op.get_bind()
    existing = set(sa.inspect(connection).get_table_names())
    for name, columns in _tables().items():
        if name not in existing:
            op.create_table(name, *columns)
    history, persons = _table("membership_changes"), _table("enrolled_persons")
    old = _table("enrollments")
    accepted = sa.select(old).where(old.c.sequence.is_not(None)).order_by(old.c.sequence)
    for row in connection.execute(accepted).mappings().all():
        change = {
            "sequence": row["sequence"],
            "commitment": row["commitment"],
            "change": "added",
            "hour": _hour(row["created_at"]),
            "log_index": row["log_index"],
            "log_leaf": row["log_leaf"],
        }
        connection.execute(sa.insert(history), change)
        if link := _link(connection, row["id"], row["idempotency_key"]):
            connection.execute(sa.insert(persons), link)
    _rebuild_enrollments(
        old,
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("consents", sa.String(60), nullable=False),
        values={"kind": "enrollment", "consents": ""},
    )


def downgrade() -> None:
    """Forget pictures, reviews and links; who left is no member in the earlier version either."""
    connection = op.get_bind()
    old, history = _table("enrollments"), _table("membership_changes")
    undecided = old.c.status.in_(("adjudication", "not_found", "deleting"))
    connection.execute(sa.delete(old).where(undecided))
    added = sa.select(history.c.sequence).where(
        history.c.commitment == old.c.commitment, history.c.change == "added"
    )
    _rebuild_enrollments(
        old,
        sa.Column("sequence", sa.Integer, unique=True),
        values={"sequence": sa.case((old.c.status == "accepted", added.scalar_subquery()))},
    )
    for name in _tables():
        op.drop_table(name)


def _rebuild_enrollments(
    old: sa.Table, *columns: sa.Column[object], values: dict[str, object]
) -> None:
    """Make the table anew, with other columns at its end: SQLite cannot drop a unique one."""
    connection = op.get_bind()
    draft = op.create_table(
        "enrollments_new",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("idempotency_key", sa.String(200), nullable=False, unique=True),
        sa.Column("body_digest", sa.String(64), nullable=False),
        sa.Column("commitment", sa.String(64), unique=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kiosk", sa.String(64)),
        sa.Column("log_index", sa.BigInteger),
        sa.Column("log_leaf", sa.LargeBinary),
        *columns,
    )
    kept = [name for name in draft.c.keys() if name not in values]  # noqa: SIM118
    new = [v if isinstance(v, sa.ColumnElement) else sa.literal(v) for v in values.values()]
    connection.execute(
        sa.insert(draft).from_select([*kept, *values], sa.select(*(old.c[n] for n in kept), *new))
    )
    op.drop_table("enrollments")
    op.rename_table("enrollments_new", "enrollments")
    if connection.dialect.name == "postgresql":
        for index in ("pkey", "idempotency_key_key", "commitment_key"):
            op.execute(f"ALTER INDEX enrollments_new_{index} RENAME TO enrollments_{index}")
    op.create_index("ix_enrollments_status", "enrollments", ["status"])


def _link(connection: sa.Connection, enrollment_id: str, key: str) -> dict[str, object] | None:
    """The sealed link from an enrolment to the person whom the gallery's verdict names."""
    verdicts = _table("verdicts")
    verdict = (
        connection.execute(sa.select(verdicts).where(verdicts.c.request_id == key))
        .mappings()
        .one_or_none()
    )
    if verdict is None or verdict["ciphertext"] is None:
        return None
    keyring: Keyring = op.get_context().config.attributes["keyring"]  # type: ignore[union-attr]
    record = SealedRecord(verdict["key_id"], verdict["nonce"], verdict["ciphertext"])
    context = f"verdict\0{verdict['decision']}\0{key}".encode()
    person = keyring.open(record, context=context)
    new = keyring.seal(person, context=f"enrolled person\0{enrollment_id}".encode())
    tag_key = keyring.derive(new.key_id, salt=b"", purpose=b"personhood person tag")
    return {
        "enrollment_id": enrollment_id,
        "tag": hmac.digest(tag_key, person, "sha256")[:16].hex(),
        "recovered_hour": None,
        "key_id": new.key_id,
        "nonce": new.nonce,
        "ciphertext": new.ciphertext,
    }


def _hour(moment: datetime) -> int:
    """Hours since 1970; SQLite forgets the zone of what was written in UTC."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) // 3600


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _sealed() -> list[sa.Column[object]]:
    return [
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    ]


def _tables() -> dict[str, list[sa.Column[object]]]:
    counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return {
        "membership_changes": [
            sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("commitment", sa.String(64), nullable=False, index=True),
            sa.Column("change", sa.String(10), nullable=False),
            sa.Column("hour", sa.Integer, nullable=False),
            sa.Column("log_index", sa.BigInteger),
            sa.Column("log_leaf", sa.LargeBinary),
        ],
        "enrolled_persons": [
            sa.Column("enrollment_id", sa.String(32), primary_key=True),
            sa.Column("tag", sa.String(32), nullable=False, unique=True),
            sa.Column("recovered_hour", sa.Integer),
            *_sealed(),
        ],
        "kept_records": [
            sa.Column("id", sa.String(32), primary_key=True),
            sa.Column("enrollment_id", sa.String(32), nullable=False, index=True),
            sa.Column("kind", sa.String(20), nullable=False),
            sa.Column("name", sa.String(200), nullable=False),
            *_sealed(),
        ],
        "review_cases": [
            sa.Column("enrollment_id", sa.String(32), primary_key=True),
            sa.Column("opened_at", sa.BigInteger, nullable=False),
            sa.Column("closed_at", sa.BigInteger),
            sa.Column("outcome", sa.String(20)),
        ],
        "review_votes": [
            sa.Column("enrollment_id", sa.String(32), primary_key=True),
            sa.Column("adjudicator", sa.String(60), primary_key=True),
            sa.Column("verdict", sa.String(20), nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
        ],
        "review_views": [
            sa.Column("id", counter, primary_key=True),
            sa.Column("enrollment_id", sa.String(32), nullable=False, index=True),
            sa.Column("candidate", sa.Integer, nullable=False),
            sa.Column("adjudicator", sa.String(60), nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
        ],
        "spent_request_keys": [sa.Column("digest", sa.String(64), primary_key=True)],
    }
