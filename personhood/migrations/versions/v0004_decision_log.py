"""The decision log, and where it has each enrolment.

Acceptances from before it are logged when the service next starts. The stores may have made the
tables by themselves: those that are there stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_PLACE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make what is missing."""
    inspector = sa.inspect(op.get_bind())
    existing = set(inspector.get_table_names())
    for name, columns in _tables().items():
        if name not in existing:
            op.create_table(name, *columns)
    known = {column["name"] for column in inspector.get_columns("enrollments")}
    for column in _columns():
        if column.name not in known:
            op.add_column("enrollments", column)
    if "decision_log_head" not in existing:
        op.execute(
            sa.text(
                "INSERT INTO decision_log_head (id, size, frontier) VALUES (1, 0, :none)"
            ).bindparams(sa.bindparam("none", b"", sa.LargeBinary))
        )


def downgrade() -> None:
    """Forget the log: the earlier version has none."""
    for column in _columns():
        op.drop_column("enrollments", column.name)
    for name in _tables():
        op.drop_table(name)


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("kiosk", sa.String(64)),
        sa.Column("log_index", sa.BigInteger),
        sa.Column("log_leaf", sa.LargeBinary),
    ]


def _tables() -> dict[str, list[sa.Column[object]]]:
    return {
        "decision_log_head": [
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("size", sa.BigInteger, nullable=False),
            sa.Column("frontier", sa.LargeBinary, nullable=False),
        ],
        "decision_log_leaves": [
            sa.Column("place", _PLACE, primary_key=True, autoincrement=False),
            sa.Column("kind", sa.String(30), nullable=False, index=True),
            sa.Column("leaf", sa.LargeBinary, nullable=False),
        ],
        "decision_log_nodes": [
            sa.Column("place", _PLACE, primary_key=True, autoincrement=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
        ],
        "decision_log_openings": [
            sa.Column("place", _PLACE, primary_key=True, autoincrement=False),
            sa.Column("commitment", sa.String(64), nullable=False, index=True),
            sa.Column("salt", sa.LargeBinary, nullable=False),
        ],
    }
