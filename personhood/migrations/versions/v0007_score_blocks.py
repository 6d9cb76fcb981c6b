"""Scores are counted apart for each so many people enrolled, so that drift can be seen.

What was counted before cannot be told apart any more: it becomes block -1.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_EARLIER = -1


def upgrade() -> None:
    """Give every count a block."""
    op.create_table("score_blocks", *_columns(with_block=True))
    op.execute(
        "INSERT INTO score_blocks (outcome, model, block, bin, count) "
        f"SELECT outcome, model, {_EARLIER}, bin, count FROM score_histogram"
    )
    _replace_by("score_blocks")


def downgrade() -> None:
    """Count all blocks together again."""
    op.create_table("score_sums", *_columns(with_block=False))
    op.execute(
        "INSERT INTO score_sums (outcome, model, bin, count) "
        "SELECT outcome, model, bin, sum(count) FROM score_histogram GROUP BY outcome, model, bin"
    )
    _replace_by("score_sums")


def _replace_by(table: str) -> None:
    op.drop_table("score_histogram")
    op.rename_table(table, "score_histogram")


def _columns(*, with_block: bool) -> list[sa.Column[Any]]:
    names = ["block", "bin"] if with_block else ["bin"]
    return [
        sa.Column("outcome", sa.String(20), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in names),
        sa.Column("count", sa.BigInteger, nullable=False),
    ]
