"""What a person lets be kept of a capture: pictures, and while a review lasts the templates.

Two purposes, each with a consent of its own, neither given unless the person gives it; the reasons
are in docs/decisions/0030-kept-images.md. Each record is sealed with the template key and bound to
its enrolment and its place in it; what was deleted is gone with its ciphertext.
"""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, LargeBinary, String, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base
from uniqueness.rotation import Row, SealedTable, announce_sealing
from uniqueness.sealing import Keyring, SealedRecord
from uniqueness.template import Probe, Template

_IMAGE, _TEMPLATE, _CANDIDATES = "image", "template", "candidates"
_VECTOR: Final = np.dtype("<f4")


class Consent(StrEnum):
    """What a person may agree to, beyond being enrolled."""

    REVIEW = "review"  # two people may look at today's pictures until they have decided
    ENROLLED = "enrolled"  # pictures are kept as long as the person is enrolled


@dataclass(frozen=True, eq=False)
class Keepsakes:
    """What there is to be kept of one capture.

    Args:
        images: encoded pictures of the face.
        probe: its templates.
    """

    images: tuple[bytes, ...] = field(repr=False)
    probe: Probe = field(repr=False)


class KeptRow(Base):
    """One sealed record of an enrolment: a picture, a template, or the candidates of its review."""

    __tablename__ = "kept_records"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    enrollment_id: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))  # its place, or its model
    key_id: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class KeptRecords:
    """Reads and writes kept records within a caller's transaction.

    Args:
        keyring: the template keys.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def keep(
        self,
        connection: Connection,
        enrollment_id: str,
        keepsakes: Keepsakes,
        consents: Collection[Consent],
    ) -> None:
        """Keep what there is consent for: pictures with any, templates with that to a review."""
        if not consents:
            return
        for number, image in enumerate(keepsakes.images):
            self._put(connection, enrollment_id, _IMAGE, str(number), image)
        if Consent.REVIEW in consents:
            for template in keepsakes.probe.templates:
                content = template.vector.astype(_VECTOR).tobytes()
                self._put(connection, enrollment_id, _TEMPLATE, template.model, content)

    def keep_candidates(
        self, connection: Connection, enrollment_id: str, persons: Sequence[int]
    ) -> None:
        """Keep whom a capture is like, for as long as its review lasts."""
        content = json.dumps(list(persons)).encode()
        self._put(connection, enrollment_id, _CANDIDATES, "", content)

    def images(self, connection: Connection, enrollment_id: str) -> tuple[bytes, ...]:
        """Open the pictures of an enrolment, in the order in which they were taken."""
        found = self._open(connection, enrollment_id, _IMAGE)
        return tuple(found[name] for name in sorted(found, key=int))

    def probe(self, connection: Connection, enrollment_id: str) -> Probe | None:
        """Open the templates of an enrolment in review."""
        found = self._open(connection, enrollment_id, _TEMPLATE)
        templates = [
            Template(np.frombuffer(content, _VECTOR).astype(np.float32), model)
            for model, content in found.items()
        ]
        return Probe(tuple(templates)) if templates else None

    def candidates(self, connection: Connection, enrollment_id: str) -> tuple[int, ...]:
        """Open whom an enrolment in review is like."""
        found = self._open(connection, enrollment_id, _CANDIDATES)
        return tuple(json.loads(found[""])) if found else ()

    def has_images(self, connection: Connection, enrollment_id: str) -> bool:
        """Whether there is a picture of an enrolment."""
        query = select(KeptRow.id).where(_of(enrollment_id), KeptRow.kind == _IMAGE).limit(1)
        return connection.execute(query).first() is not None

    def destroy(
        self, connection: Connection, enrollment_id: str, *, but_images: bool = False
    ) -> int:
        """Delete what is kept of an enrolment, or all but the pictures; returns how many."""
        query = delete(KeptRow).where(_of(enrollment_id))
        if but_images:
            query = query.where(KeptRow.kind != _IMAGE)
        return connection.execute(query).rowcount

    def _put(
        self, connection: Connection, enrollment_id: str, kind: str, name: str, content: bytes
    ) -> None:
        announce_sealing(connection)
        record = self._keyring.seal(content, context=_context(enrollment_id, kind, name))
        row = {
            "id": uuid.uuid4().hex,
            "enrollment_id": enrollment_id,
            "kind": kind,
            "name": name,
            "key_id": record.key_id,
            "nonce": record.nonce,
            "ciphertext": record.ciphertext,
        }
        connection.execute(insert(KeptRow), row)

    def _open(self, connection: Connection, enrollment_id: str, kind: str) -> dict[str, bytes]:
        query = select(KeptRow.name, KeptRow.key_id, KeptRow.nonce, KeptRow.ciphertext)
        rows = connection.execute(query.where(_of(enrollment_id), KeptRow.kind == kind))
        return {
            row.name: self._keyring.open(
                SealedRecord(row.key_id, row.nonce, row.ciphertext),
                context=_context(enrollment_id, kind, row.name),
            )
            for row in rows
        }


def _of(enrollment_id: str) -> ColumnElement[bool]:
    return KeptRow.enrollment_id == enrollment_id


def _context(enrollment_id: str, kind: str, name: str) -> bytes:
    return f"kept {kind}\0{enrollment_id}\0{name}".encode()


def _row_context(row: Row) -> bytes:
    return _context(row["enrollment_id"], row["kind"], row["name"])


KEPT: Final = SealedTable(KeptRow, _row_context)
