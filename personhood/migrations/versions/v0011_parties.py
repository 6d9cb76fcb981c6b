"""What the coordinator of three parties keeps: their steps, and whose session decides."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the two tables: no gallery is shared yet."""
    op.create_table(
        "party_commits",
        sa.Column("head", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("batch", sa.String(64), nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
    )
    op.create_table(
        "party_session",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("session", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Forget both: the earlier version shares no gallery."""
    op.drop_table("party_session")
    op.drop_table("party_commits")
