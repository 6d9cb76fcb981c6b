"""Who waits for a decision, and since when; nothing of whom."""

from datetime import UTC, datetime

from sqlalchemy import Engine, select

from enrollment.database import Database
from enrollment.store import EnrollmentRow, EnrollmentStatus


def waiting_since(engine: Engine) -> list[datetime]:
    """When the enrolments that wait for a review first came, the oldest first.

    Raises:
        EnrollmentStoreUnavailable: the database failed.
    """
    query = (
        select(EnrollmentRow.created_at)
        .where(EnrollmentRow.status == EnrollmentStatus.REVIEW.value)
        .order_by(EnrollmentRow.created_at)
    )
    with Database(engine).read() as connection:
        # SQLite forgets the zone of what was written in UTC.
        return [moment.replace(tzinfo=moment.tzinfo or UTC) for moment in connection.scalars(query)]
