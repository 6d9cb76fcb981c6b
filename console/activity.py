"""What operators did and looked at: who, what, when, and about what; never a person's data."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine, insert, select

from console.operators import Clock
from console.schema import ActivityRow, Base
from enrollment.database import Database

NOBODY = "somebody unknown"  # a name that was typed may be a password in the wrong field
COMMAND_LINE = "command line"


class Action(StrEnum):
    """What can be done."""

    SIGNED_UP = "signed up"
    SIGNED_IN = "signed in"
    SIGN_IN_REFUSED = "sign-in refused"
    CONFIRMED = "confirmed"
    SIGNED_OUT = "signed out"
    PASSKEY_ADDED = "passkey added"
    SESSIONS_ENDED = "other sessions ended"
    ACCESS_REFUSED = "access refused"
    OPERATOR_ADDED = "operator added"
    OPERATOR_INVITED = "operator invited again"
    OPERATOR_DISABLED = "operator disabled"
    KIOSK_INVITED = "kiosk invited"
    KIOSK_REVOKED = "kiosk revoked"
    REVIEW_VIEWED = "review viewed"
    REVIEW_VOTED = "review voted"
    REPORT_DOWNLOADED = "report downloaded"
    RECEIPT_CHECKED = "receipt checked"


@dataclass(frozen=True)
class Entry:
    """One entry of the trail.

    Args:
        sequence: its number, rising.
        at: Unix seconds.
        operator: by name.
        subject: what it was about, such as a kiosk's name; may be empty.
    """

    sequence: int
    at: int
    operator: str
    action: Action
    subject: str


class Trail:
    """Writes and reads the trail; nothing removes an entry.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, clock: Clock = time.time) -> None:
        self._database = Database(engine, Base.metadata)
        self._clock = clock

    def note(self, operator: str, action: Action, subject: str = "") -> None:
        """Write an entry, durably."""
        row = {
            "at": int(self._clock()),
            "operator": operator,
            "action": action.value,
            "subject": subject[:100],
        }
        with self._database.write() as connection:
            connection.execute(insert(ActivityRow), row)

    def read(self, limit: int, *, before: int | None = None) -> Sequence[Entry]:
        """Read entries, the newest first.

        Args:
            before: only those with a lower number.
        """
        query = select(
            ActivityRow.sequence,
            ActivityRow.at,
            ActivityRow.operator,
            ActivityRow.action,
            ActivityRow.subject,
        ).order_by(ActivityRow.sequence.desc())
        if before is not None:
            query = query.where(ActivityRow.sequence < before)
        with self._database.read() as connection:
            return [
                Entry(sequence, at, operator, Action(action), subject)
                for sequence, at, operator, action, subject in connection.execute(
                    query.limit(limit)
                )
            ]
