"""Which operator invited a kiosk, so that outcomes are counted by who answers for it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TABLES = ("kiosk_invitations", "kiosks")


def upgrade() -> None:
    """Nobody is known to have invited the kiosks of before."""
    for table in _TABLES:
        op.add_column(table, sa.Column("invited_by", sa.String(60)))


def downgrade() -> None:
    """Forget who invited whom."""
    for table in _TABLES:
        op.drop_column(table, "invited_by")
