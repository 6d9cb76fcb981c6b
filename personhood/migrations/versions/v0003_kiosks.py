"""Kiosks have keys: invitations, devices, requests and captures seen before, sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of kiosks; until one is registered, nobody can enrol."""
    op.create_table(
        "kiosk_invitations",
        sa.Column("code_digest", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False, unique=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "kiosks",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "kiosk_requests",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "kiosk_sessions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kiosk_id", sa.String(32), nullable=False),
        sa.Column("challenge", sa.String(30), nullable=False),
        sa.Column("poses", sa.String(60), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("closed_by", sa.String(200)),
    )
    op.create_table(
        "recent_capture_tags",
        sa.Column("capture", sa.String(32), primary_key=True),
        sa.Column("tag", sa.String(32), primary_key=True, index=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )


def downgrade() -> None:
    """Forget the kiosks; they have to be registered anew."""
    tables = ("recent_capture_tags", "kiosk_sessions", "kiosk_requests", "kiosks")
    for table in (*tables, "kiosk_invitations"):
        op.drop_table(table)
