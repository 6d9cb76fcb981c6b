"""One person's turn at a kiosk: a challenge for the wallet, and poses for the camera.

Both are drawn by the service for this turn, so that neither a statement nor a film that was made
before can answer them.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, Engine, String, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base, Database
from enrollment.errors import SessionExpired, SessionUnknown
from enrollment.every_minute import EveryMinute
from enrollment.kiosks import Kiosk, random_code
from enrollment.pose import Pose

LIFETIME = 600  # seconds
_KEPT = 24 * 3600  # seconds after its end, in which a late kiosk still hears `session_expired`


class SessionRow(Base):
    """See `Session`."""

    __tablename__ = "kiosk_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kiosk_id: Mapped[str] = mapped_column(String(32))
    challenge: Mapped[str] = mapped_column(String(30))
    poses: Mapped[str] = mapped_column(String(60))  # joined by commas
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    closed_by: Mapped[str | None] = mapped_column(String(200))


@dataclass(frozen=True)
class Session:
    """A turn.

    Args:
        id: random.
        challenge: what the wallet has to sign.
        poses: what the frames have to show, one each, in this order.
        expires_at: Unix seconds.
    """

    id: str
    challenge: str
    poses: tuple[Pose, ...]
    expires_at: int


class Turns(NamedTuple):
    """How many turns a kiosk began, and how many of these ended with a decision."""

    begun: int
    decided: int


class SessionStore:
    """Reads and writes sessions.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine) -> None:
        self._database = Database(engine)
        self._tidying = EveryMinute()

    def open(self, kiosk: Kiosk, poses: Sequence[Pose]) -> Session:
        """Begin a turn at a kiosk."""
        now = int(time.time())
        session = Session(uuid.uuid4().hex, random_code(), tuple(poses), now + LIFETIME)
        row = {
            "id": session.id,
            "kiosk_id": kiosk.id,
            "challenge": session.challenge,
            "poses": ",".join(poses),
            "expires_at": session.expires_at,
            "closed_by": None,
        }
        with self._database.write(hasty=True) as connection:  # lost, the kiosk begins anew
            if self._tidying.is_due():
                connection.execute(delete(SessionRow).where(SessionRow.expires_at < now - _KEPT))
            connection.execute(_INSERT, row)
        return session

    def find(
        self,
        session_id: str,
        kiosk: Kiosk,
        idempotency_key: str,
        begun: Callable[[], bool] = lambda: False,
    ) -> Session:
        """Find a turn in which a request may still be decided, or was.

        Args:
            begun: whether the request of this key came in time, and may hear its answer however
                late.

        Raises:
            SessionUnknown: this kiosk has no such session.
            SessionExpired: its time is over, or another request was decided in it.
        """
        with self._database.read() as connection:
            row = connection.execute(_OF, {"id": session_id, "kiosk": kiosk.id}).one_or_none()
        if row is None:
            raise SessionUnknown("This kiosk has no such session. Begin a new one.")
        over = row.closed_by is None and row.expires_at < time.time() and not begun()
        if over or row.closed_by not in (None, idempotency_key):
            raise SessionExpired("This session is over. Begin a new one.")
        return Session(
            row.id, row.challenge, tuple(map(Pose, row.poses.split(","))), row.expires_at
        )

    def turns(self, seconds: int) -> dict[str, Turns]:
        """Count the turns that kiosks began in the last seconds, a day at most, by kiosk id."""
        query = (
            select(SessionRow.kiosk_id, func.count(), func.count(SessionRow.closed_by))
            .where(SessionRow.expires_at > int(time.time()) - seconds + LIFETIME)
            .group_by(SessionRow.kiosk_id)
        )
        with self._database.read() as connection:
            return {
                kiosk: Turns(begun, decided) for kiosk, begun, decided in connection.execute(query)
            }

    def close(self, session: Session, idempotency_key: str) -> None:
        """End a turn with the request that was decided; only this request is answered again."""
        with self._database.write(hasty=True) as connection:  # the request's own row is durable
            connection.execute(_CLOSE, {"its_id": session.id, "by": idempotency_key})


# Made once: to make a statement takes SQLAlchemy longer than to run it.
_INSERT = insert(SessionRow)
_OF = select(SessionRow.__table__).where(
    SessionRow.id == bindparam("id"), SessionRow.kiosk_id == bindparam("kiosk")
)
_CLOSE = (
    update(SessionRow)
    .where(SessionRow.id == bindparam("its_id"), SessionRow.closed_by.is_(None))
    .values(closed_by=bindparam("by"))
)
