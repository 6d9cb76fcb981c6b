"""A person who was enrolled comes back with another wallet: the one is replaced by the other.

One transaction: the old commitment leaves, the new one comes, the person's link moves, the old
enrolment is forgotten. So there is nothing for a crash to leave half done.
"""

import time
from collections.abc import Callable

from sqlalchemy import Connection

from enrollment.errors import RecoveryTooSoon
from enrollment.kept import Consent
from enrollment.membership import Change, record_change
from enrollment.rows import Enrollment, EnrollmentStatus, forget, move, read, reread
from enrollment.store import EnrollmentStore
from transparency.entry import SECONDS_PER_HOUR, Kind

_HOURS_PER_DAY = 24


class Recoveries:
    """Replaces wallets.

    Args:
        store: of enrolments.
        days: between two recoveries of one person, at least.
        clock: Unix seconds.
    """

    def __init__(
        self, store: EnrollmentStore, days: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._days = days
        self._clock = clock

    def replace(self, enrollment: Enrollment, person: int) -> Enrollment:
        """Let an undecided recovery's wallet take the place of the person's former one.

        Returns:
            The recovery, ACCEPTED; NOT_FOUND where the person holds nothing, or asked to be
            deleted.

        Raises:
            RecoveryTooSoon: the person's wallet was replaced lately; nothing was changed.
            EnrollmentStoreUnavailable: the database failed.
        """
        with self._store.database.write() as connection:
            if reread(connection, enrollment).status is not enrollment.status:
                return reread(connection, enrollment)
            former = self._former(connection, person)
            status = EnrollmentStatus.ACCEPTED if former else EnrollmentStatus.NOT_FOUND
            move(connection, enrollment, status)
            if former and former.commitment is not None and enrollment.commitment is not None:
                self._log(connection, former.commitment, enrollment)
                self._store.persons.hand_over(
                    connection, former.id, enrollment.id, person, hour=self._hour()
                )
                self._store.destroy_kept(connection, former)
                forget(connection, former)
            else:
                reason = "recovery_not_found"
                self._store.log(connection, enrollment, Kind.REJECTED, reason=reason)
            stays = former is not None and Consent.ENROLLED in enrollment.consents
            self._store.destroy_kept(connection, enrollment, but_images=stays)
            return reread(connection, enrollment)

    def _former(self, connection: Connection, person: int) -> Enrollment | None:
        """The enrolment that the person holds, kept for this transaction."""
        holding = self._store.persons.holding_of(connection, person)
        if holding is None:
            return None
        last = holding.recovered_hour
        if last is not None and self._hour() < last + self._days * _HOURS_PER_DAY:
            raise RecoveryTooSoon(
                f"This person's wallet was replaced less than {self._days} days ago. Ask the "
                "operator if that was not you."
            )
        # Locked before the log is, as by whoever deletes it.
        former = read(connection, holding.enrollment_id, lock=True)
        return former if former and former.status is EnrollmentStatus.ACCEPTED else None

    def _log(self, connection: Connection, former: int, enrollment: Enrollment) -> None:
        """Log that one commitment leaves and another one comes, and list both for publication."""
        new = enrollment.commitment or 0
        left = self._store.journal.record(
            connection,
            Kind.REMOVAL,
            commitment=former,
            reason="recovery",
            kiosk=enrollment.kiosk,
        )
        record_change(connection, former, Change.REPLACED, left)
        came = self._store.log(connection, enrollment, Kind.RECOVERY, commitment=new)
        record_change(connection, new, Change.ADDED, came)

    def _hour(self) -> int:
        return int(self._clock()) // SECONDS_PER_HOUR
