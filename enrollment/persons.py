"""Which enrolment is whose: the link between a person of the gallery and the enrolment they hold.

Deletion goes from the enrolment to the person, recovery from the person to the enrolment. Neither
is to be read from the database without the template key: the person's number is sealed, and is
looked up by a keyed tag of it.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Integer, LargeBinary, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base
from uniqueness.rotation import Row, SealedTable, announce_sealing
from uniqueness.sealing import Keyring, SealedRecord

_TAG_BYTES: Final = 16
_PERSON_BYTES: Final = 8


class PersonRow(Base):
    """See `PersonLinks`."""

    __tablename__ = "enrolled_persons"

    enrollment_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tag: Mapped[str] = mapped_column(String(2 * _TAG_BYTES), unique=True)
    recovered_hour: Mapped[int | None] = mapped_column(Integer)  # of the last recovery
    key_id: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Holding:
    """What a person holds: an enrolment, and since when by a recovery, in hours since 1970 UTC."""

    enrollment_id: str
    recovered_hour: int | None = field(repr=False)


class PersonLinks:
    """Reads and writes links within a caller's transaction.

    Args:
        keyring: the template keys.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def link(self, connection: Connection, enrollment_id: str, person: int) -> None:
        """Note that a new person holds an enrolment."""
        connection.execute(_INSERT, self.row(connection, enrollment_id, person))

    def hand_over(
        self, connection: Connection, old_id: str, new_id: str, person: int, *, hour: int
    ) -> None:
        """Note that a person holds another enrolment from now on, by a recovery in an hour."""
        row = self.row(connection, new_id, person) | {"recovered_hour": hour}
        # In place: whoever waits for the row sees it changed, and not gone.
        connection.execute(update(PersonRow).where(PersonRow.enrollment_id == old_id).values(row))

    def row(self, connection: Connection, enrollment_id: str, person: int) -> dict[str, object]:
        """Make a sealed row."""
        announce_sealing(connection)
        content = person.to_bytes(_PERSON_BYTES, "big")
        record = self._keyring.seal(content, context=_context(enrollment_id))
        return {
            "enrollment_id": enrollment_id,
            "tag": _tag(self._keyring, record.key_id, content),
            "key_id": record.key_id,
            "nonce": record.nonce,
            "ciphertext": record.ciphertext,
        }

    def person_of(self, connection: Connection, enrollment_id: str) -> int | None:
        """Look up who holds an enrolment."""
        query = select(PersonRow.key_id, PersonRow.nonce, PersonRow.ciphertext)
        row = connection.execute(
            query.where(PersonRow.enrollment_id == enrollment_id)
        ).one_or_none()
        if row is None:
            return None
        content = self._keyring.open(SealedRecord(*row), context=_context(enrollment_id))
        return int.from_bytes(content, "big")

    def holding_of(self, connection: Connection, person: int) -> Holding | None:
        """Look up what a person holds; the row is kept for this transaction."""
        content = person.to_bytes(_PERSON_BYTES, "big")
        tags = [_tag(self._keyring, key_id, content) for key_id in self._keyring.key_ids]
        query = select(PersonRow.enrollment_id, PersonRow.recovered_hour)
        row = connection.execute(
            query.where(PersonRow.tag.in_(tags)).with_for_update()
        ).one_or_none()
        return Holding(row.enrollment_id, row.recovered_hour) if row else None

    def unlink(self, connection: Connection, enrollment_id: str) -> None:
        """Forget who held an enrolment."""
        connection.execute(delete(PersonRow).where(PersonRow.enrollment_id == enrollment_id))


def _context(enrollment_id: str) -> bytes:
    return f"enrolled person\0{enrollment_id}".encode()


def _tag(keyring: Keyring, key_id: str, content: bytes) -> str:
    key = keyring.derive(key_id, salt=b"", purpose=b"personhood person tag")
    return hmac.digest(key, content, "sha256")[:_TAG_BYTES].hex()


def _row_context(row: Row) -> bytes:
    return _context(row["enrollment_id"])


def _new_tag(keyring: Keyring, key_id: str, content: bytes) -> dict[str, object]:
    return {"tag": _tag(keyring, key_id, content)}


PERSONS: Final = SealedTable(PersonRow, _row_context, _new_tag)


_INSERT = insert(PersonRow)  # made once: that takes longer than to run it
