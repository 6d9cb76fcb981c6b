"""Kiosks, their invitations, sessions and requests, and what was captured lately.

The stores made these tables by themselves before this step was written: those that are there stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make what is missing."""
    existing = set(sa.inspect(op.get_bind()).get_table_names())
    for name, columns in _tables().items():
        if name not in existing:
            op.create_table(name, *columns)


def downgrade() -> None:
    """Forget every kiosk: the earlier version has none."""
    for name in _tables():
        op.drop_table(name)


def _tables() -> dict[str, list[sa.Column[object]]]:
    return {
        "kiosk_invitations": [
            sa.Column("code_digest", sa.String(64), primary_key=True),
            sa.Column("name", sa.String(60), nullable=False, unique=True),
            sa.Column("expires_at", sa.BigInteger, nullable=False),
        ],
        "kiosks": [
            sa.Column("id", sa.String(32), primary_key=True),
            sa.Column("name", sa.String(60), nullable=False, unique=True),
            sa.Column("public_key", sa.LargeBinary, nullable=False, unique=True),
            sa.Column("registered_at", sa.BigInteger, nullable=False),
            sa.Column("revoked_at", sa.BigInteger),
        ],
        "kiosk_requests": [
            sa.Column("digest", sa.String(64), primary_key=True),
            sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
        ],
        "kiosk_sessions": [
            sa.Column("id", sa.String(32), primary_key=True),
            sa.Column("kiosk_id", sa.String(32), nullable=False),
            sa.Column("challenge", sa.String(30), nullable=False),
            sa.Column("poses", sa.String(60), nullable=False),
            sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
            sa.Column("closed_by", sa.String(200)),
        ],
        "recent_capture_tags": [
            sa.Column("capture", sa.String(32), primary_key=True),
            sa.Column("tag", sa.String(32), primary_key=True, index=True),
            sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
        ],
    }
