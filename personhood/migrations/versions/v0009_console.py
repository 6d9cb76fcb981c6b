"""Operators of the console and what they did; when a kiosk was last seen; outcomes by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the console's tables: nobody is in them yet."""
    op.create_table(
        "operators",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False, unique=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
    )
    op.create_table(
        "operator_invitations",
        sa.Column("code_digest", sa.String(64), primary_key=True),
        sa.Column("operator_id", sa.String(32), nullable=False, unique=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        *_sealed(),
    )
    op.create_table(
        "operator_passkeys",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("operator_id", sa.String(32), nullable=False, index=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "operator_passwords",
        sa.Column("operator_id", sa.String(32), primary_key=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        *_sealed(),
        sa.Column("last_step", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "operator_challenges",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("operator_id", sa.String(32), nullable=False, index=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "operator_activity",
        sa.Column("sequence", _COUNTER, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.String(60), nullable=False),
        sa.Column("action", sa.String(40), nullable=False, index=True),
        sa.Column("subject", sa.String(100), nullable=False),
        sqlite_autoincrement=True,
    )
    op.add_column("kiosks", sa.Column("last_seen_at", sa.BigInteger))
    op.create_index("ix_outcomes_hour", "outcomes", ["hour"])


def downgrade() -> None:
    """Forget every operator: the earlier version has no console."""
    op.drop_index("ix_outcomes_hour", "outcomes")
    op.drop_column("kiosks", "last_seen_at")
    for name in (
        "operator_activity",
        "operator_sessions",
        "operator_challenges",
        "operator_passwords",
        "operator_passkeys",
        "operator_invitations",
        "operators",
    ):
        op.drop_table(name)


def _sealed() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    )
