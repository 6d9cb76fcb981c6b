"""Who is signed in: short sessions, kept by the service, known to the browser by a random token."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, delete, insert, or_, select, update

from console.operators import Clock, Operator, Role
from console.schema import Base, OperatorRow, SessionRow
from enrollment.database import Database

IDLE: Final = 15 * 60  # seconds without a request of the operator's
ABSOLUTE: Final = 8 * 3600  # seconds, whatever happens
CONFIRMED: Final = 5 * 60  # seconds after a sign-in, in which a change of weight is taken
_NOTED_EVERY: Final = 20  # seconds; not every request writes


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in.

    Args:
        token: what the browser holds.
        is_confirmed: whether they showed a moment ago that it is still they.
    """

    operator: Operator
    token: str = field(repr=False)
    is_confirmed: bool

    @property
    def form_token(self) -> str:
        """What each form of this session carries, against forms of other pages (CSRF)."""
        return hmac.digest(self.token.encode(), b"console form", "sha256").hex()

    def wrote(self, form_token: str) -> bool:
        """Whether a form is of this session."""
        return hmac.compare_digest(self.form_token.encode(), form_token.encode())


class SessionStore:
    """Opens, finds and ends sessions.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, clock: Clock = time.time) -> None:
        self._database = Database(engine, Base.metadata)
        self._clock = clock

    def open(self, operator: Operator) -> Session:
        """Begin a session, and forget those that are over."""
        now, token = int(self._clock()), secrets.token_urlsafe(32)
        over = or_(SessionRow.seen_at <= now - IDLE, SessionRow.opened_at <= now - ABSOLUTE)
        row = {
            "digest": _digest(token),
            "operator_id": operator.id,
            "opened_at": now,
            "seen_at": now,
            "confirmed_at": now,
        }
        with self._database.write() as connection:
            connection.execute(delete(SessionRow).where(over))
            connection.execute(insert(SessionRow), row)
        return Session(operator, token, is_confirmed=True)

    def find(self, token: str, *, by_itself: bool = False) -> Session | None:
        """Find a session that is not over, of an operator who may still sign in.

        Args:
            by_itself: the page asks, not the operator: this does not keep the session alive.
        """
        now = int(self._clock())
        query = select(
            SessionRow.seen_at,
            SessionRow.confirmed_at,
            OperatorRow.id,
            OperatorRow.name,
            OperatorRow.role,
            OperatorRow.added_at,
        ).where(
            SessionRow.digest == _digest(token),
            SessionRow.seen_at > now - IDLE,
            SessionRow.opened_at > now - ABSOLUTE,
            OperatorRow.id == SessionRow.operator_id,
            OperatorRow.disabled_at.is_(None),
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        seen_at, confirmed_at, operator_id, name, role, added_at = row
        if not by_itself and seen_at <= now - _NOTED_EVERY:
            self._set(token, seen_at=now)
        operator = Operator(operator_id, name, Role(role), added_at, None)
        return Session(operator, token, is_confirmed=confirmed_at > now - CONFIRMED)

    def confirm(self, session: Session) -> None:
        """Note that the operator showed again who they are."""
        self._set(session.token, confirmed_at=int(self._clock()))

    def end(self, session: Session) -> None:
        """End a session."""
        with self._database.write() as connection:
            connection.execute(
                delete(SessionRow).where(SessionRow.digest == _digest(session.token))
            )

    def end_others(self, session: Session) -> int:
        """End every other session of the operator; tells how many there were."""
        with self._database.write() as connection:
            ended = connection.execute(
                delete(SessionRow).where(
                    SessionRow.operator_id == session.operator.id,
                    SessionRow.digest != _digest(session.token),
                )
            )
        return ended.rowcount

    def _set(self, token: str, **values: int) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(SessionRow).where(SessionRow.digest == _digest(token)).values(**values)
            )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
