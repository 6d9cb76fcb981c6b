"""The tables as the first version made them, which kept no record of its schema's version.

Those that are there are taken over as they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make what is missing."""
    existing = set(sa.inspect(op.get_bind()).get_table_names())
    for name, make in _TABLES.items():
        if name not in existing:
            make()


def downgrade() -> None:
    """Leave nothing."""
    for name in _TABLES:
        op.drop_table(name)


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("sequence", _COUNTER, primary_key=True),
        sa.Column("template_id", sa.String(32), nullable=False, unique=True),
        sa.Column("person_id", sa.String(32), nullable=False, index=True),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("request_id", sa.String(200), primary_key=True),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("sequence", _COUNTER, primary_key=True),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sqlite_autoincrement=True,
    )


def _score_histogram() -> None:
    op.create_table(
        "score_histogram",
        sa.Column("outcome", sa.String(20), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("bin", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )


def _enrollments() -> None:
    op.create_table(
        "enrollments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("idempotency_key", sa.String(200), nullable=False, unique=True),
        sa.Column("body_digest", sa.String(64), nullable=False),
        sa.Column("commitment", sa.String(64), unique=True),
        sa.Column("status", sa.String(20), nullable=False, index=True),
        sa.Column("sequence", sa.Integer, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


_TABLES = {
    "templates": _templates,
    "verdicts": _verdicts,
    "outcomes": _outcomes,
    "score_histogram": _score_histogram,
    "enrollments": _enrollments,
}
