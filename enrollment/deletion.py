"""A person asks to be forgotten, or that their pictures are; the wallet's signature proves who.

    1. a member no more     removal, pictures destroyed: one transaction      DELETING
    2. templates erased     by the gallery
    3. forgotten            the enrolment's row and the person's link          (no row)

Whoever dies in between leaves a DELETING row, which `finish_all` and the same request lead to its
end. What stays is the removal in the history of members, which is public: the tombstone.
"""

from contextlib import suppress
from dataclasses import dataclass

from enrollment.cases import CaseOutcome, close_case, read_case
from enrollment.errors import EnrollmentUndecided, WalletNotEnrolled
from enrollment.membership import Change, MembershipChange, last_change, record_change
from enrollment.rows import Enrollment, EnrollmentStatus, forget, move
from enrollment.store import EnrollmentStore
from transparency.entry import Kind
from uniqueness.errors import PersonRemoved
from uniqueness.gallery import Gallery


@dataclass(frozen=True)
class Deletion:
    """What became of a request to be forgotten.

    Args:
        removal: the tombstone; None where the person was never a member.
        before: it was done at an earlier request.
    """

    removal: MembershipChange | None
    before: bool = False


class DeletionService:
    """Forgets people; safe to call from many threads.

    Args:
        store: of enrolments.
        gallery: open.
    """

    def __init__(self, store: EnrollmentStore, gallery: Gallery) -> None:
        self._store = store
        self._gallery = gallery

    def delete(self, commitment: int) -> Deletion:
        """Forget the person who holds a wallet; its secret was proved.

        Raises:
            WalletNotEnrolled: nobody holds this wallet, or the person replaced it.
            EnrollmentUndecided: the enrolment is being decided at this moment.
            GalleryUnavailable, GalleryClosed, EnrollmentStoreUnavailable: ask again; it goes on.
        """
        enrollment = self._store.holder(commitment)
        if enrollment is None:
            return self._deleted_before(commitment)
        if enrollment.status is EnrollmentStatus.ADJUDICATION:
            return self._withdraw(enrollment)
        if enrollment.status is EnrollmentStatus.PENDING:
            raise _undecided()
        before = enrollment.status is EnrollmentStatus.DELETING
        if not before:
            self._leave(enrollment, commitment)
        self._forget(enrollment)
        return Deletion(self._deleted_before(commitment).removal, before)

    def forget_images(self, commitment: int) -> bool:
        """Destroy the pictures of an enrolled person, who stays enrolled.

        Returns:
            Whether there were any.

        Raises:
            WalletNotEnrolled, EnrollmentUndecided, EnrollmentStoreUnavailable: see `delete`.
        """
        enrollment = self._store.holder(commitment)
        if enrollment is None:
            raise _not_enrolled()
        if enrollment.status is EnrollmentStatus.PENDING:
            raise _undecided()
        if enrollment.status is EnrollmentStatus.ADJUDICATION:
            self._withdraw(enrollment)
            return True
        with self._store.database.write() as connection:
            return self._store.destroy_kept(connection, enrollment)

    def finish_all(self) -> None:
        """Lead to its end what a crash left half done."""
        for enrollment in self._store.of_status(EnrollmentStatus.DELETING):
            self._forget(enrollment)

    def _leave(self, enrollment: Enrollment, commitment: int) -> None:
        """Step 1."""
        with self._store.database.write() as connection:
            if move(connection, enrollment, EnrollmentStatus.DELETING):
                logged = self._store.journal.record(
                    connection, Kind.REMOVAL, commitment=commitment, reason="deletion"
                )
                record_change(connection, commitment, Change.DELETED, logged)
                self._store.destroy_kept(connection, enrollment)

    def _forget(self, enrollment: Enrollment) -> None:
        """Steps 2 and 3, as often as need be."""
        with self._store.database.read() as connection:
            person = self._store.persons.person_of(connection, enrollment.id)
        if person is not None:
            with suppress(PersonRemoved):  # in an earlier attempt
                self._gallery.remove(person)
        with self._store.database.write() as connection:
            self._store.persons.unlink(connection, enrollment.id)
            forget(connection, enrollment)

    def _withdraw(self, enrollment: Enrollment) -> Deletion:
        """End a review that nobody has decided; of the person nothing is left."""
        with self._store.database.write() as connection:
            if read_case(connection, enrollment.id, lock=True).outcome is not None:
                raise _undecided()
            close_case(connection, enrollment.id, CaseOutcome.WITHDRAWN)
            withdrawn = CaseOutcome.WITHDRAWN.value
            self._store.journal.record(connection, Kind.ADJUDICATION, reason=withdrawn)
            self._store.destroy_kept(connection, enrollment)
            forget(connection, enrollment)
        return Deletion(None)

    def _deleted_before(self, commitment: int) -> Deletion:
        with self._store.database.read() as connection:
            change = last_change(connection, commitment)
        if change is None or change.change is not Change.DELETED:
            raise _not_enrolled()
        return Deletion(change, before=True)


def _undecided() -> EnrollmentUndecided:
    return EnrollmentUndecided("This enrolment is being decided. Ask again in a minute.")


def _not_enrolled() -> WalletNotEnrolled:
    return WalletNotEnrolled(
        "Nobody is enrolled with this wallet: it never was, or it was replaced by another one."
    )
