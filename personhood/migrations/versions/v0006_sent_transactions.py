"""What the publisher signed, kept before it is sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Make what is missing: the journal makes its tables by itself where nothing is upgraded."""
    existing = set(sa.inspect(op.get_bind()).get_table_names())
    identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    if "sent_transactions" not in existing:
        op.create_table(
            "sent_transactions",
            sa.Column("id", identifier, primary_key=True),
            sa.Column("deployment", sa.String(64), nullable=False),
            sa.Column("sender", sa.String(42), nullable=False),
            sa.Column("nonce", sa.BigInteger),
            sa.Column("purpose", sa.String(40), nullable=False),
            sa.Column("recipient", sa.String(42), nullable=False),
            sa.Column("call_data", sa.LargeBinary, nullable=False),
            sa.Column("gas", sa.BigInteger, nullable=False),
            sa.Column("state", sa.String(20), nullable=False, index=True),
            sa.Column("signed_at", sa.BigInteger, nullable=False),
            sa.Column("given_at", sa.BigInteger),
            sa.Column("block", sa.BigInteger, index=True),
            sa.Column("block_hash", sa.String(66)),
            sa.Column("included_hash", sa.String(66)),
            sa.Column("succeeded", sa.Boolean),
            sa.Column("gas_used", sa.BigInteger),
            sa.UniqueConstraint("deployment", "sender", "nonce"),
        )
    if "sent_versions" not in existing:
        op.create_table(
            "sent_versions",
            sa.Column("hash", sa.String(66), primary_key=True),
            sa.Column(
                "transaction_id",
                identifier,
                sa.ForeignKey("sent_transactions.id"),
                nullable=False,
                index=True,
            ),
            sa.Column("max_fee", sa.BigInteger, nullable=False),
            sa.Column("tip", sa.BigInteger, nullable=False),
            sa.Column("signed", sa.LargeBinary, nullable=False),
            sa.Column("signed_at", sa.BigInteger, nullable=False),
        )


def downgrade() -> None:
    """Forget what was sent: the earlier version sends without a journal."""
    op.drop_table("sent_versions")
    op.drop_table("sent_transactions")
