"""An enrolment service whose people are made up: real gallery, stores and keys, no camera.

A photograph is a number in text: whoever it names has one template and one picture.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine

from enrollment.examination import Examined
from enrollment.kept import Consent
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose
from enrollment.rows import Enrollment, EnrollmentKind, EnrollmentRequest
from enrollment.store import EnrollmentStore
from tests.unit.uniqueness.synthetic import (
    DIMENSION,
    MODEL,
    THRESHOLDS,
    at_cosine,
    people,
    template,
)
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray

KEYRING = Keyring(b"k" * 32)
REVIEW, ENROLLED = frozenset({Consent.REVIEW}), frozenset({Consent.ENROLLED})
BOTH = REVIEW | ENROLLED
PEOPLE = people(20)


def vector_of(photograph: bytes) -> FloatArray:
    """`7`: person 7. `7 like 3`: somebody else, whom the gallery cannot tell from person 3."""
    who, _, other = photograph.decode().partition(" like ")
    if other:
        return at_cosine(PEOPLE[int(other)], 0.65, seed=100 + int(who))
    vector: FloatArray = PEOPLE[int(who)]
    return vector


class SyntheticExaminer:
    """Sees in a photograph whom its text names."""

    def examine(
        self,
        captures: Sequence[bytes],
        poses: Sequence[Pose],
        *,
        portraits: bool = False,
        mirrors: bool = False,
    ) -> Examined:
        assert len(captures) == len(poses)
        assert not mirrors, "nothing here refuses a picture"
        pictures = tuple(b"picture of " + capture for capture in captures)
        return Examined((template(vector_of(captures[0])),), (), pictures if portraits else ())


class Desk:
    """A service, and what is behind it."""

    def __init__(self, engine: Engine, gallery: Gallery, keyring: Keyring, days: int) -> None:
        self.engine = engine
        self.gallery = gallery
        self.journal = Journal(DecisionLog(engine), b"l" * 32, model=MODEL)
        self.store = EnrollmentStore(engine, keyring, self.journal)
        examiner: object = SyntheticExaminer()
        self.service = EnrollmentService(
            examiner,  # type: ignore[arg-type]
            gallery,
            self.store,
            recovery_days=days,
        )

    def enroll(
        self,
        photograph: str,
        wallet: int,
        consents: frozenset[Consent] = frozenset(),
        *,
        kind: EnrollmentKind = EnrollmentKind.ENROLLMENT,
        key: str | None = None,
    ) -> Enrollment:
        return self.service.enroll(
            request_of(photograph, wallet, consents, kind=kind, key=key),
            [photograph.encode()],
            [Pose.FRONT],
        )

    def recover(self, photograph: str, wallet: int, *consents: frozenset[Consent]) -> Enrollment:
        return self.enroll(photograph, wallet, *consents, kind=EnrollmentKind.RECOVERY)

    def images(self, enrollment: Enrollment) -> tuple[bytes, ...]:
        with self.store.database.read() as connection:
            return self.store.kept.images(connection, enrollment.id)

    def members(self) -> list[int]:
        """Replay the history."""
        members: list[int] = []
        for change in self.service.membership_changes():
            if change.change == "added":
                members.append(change.commitment)
            else:
                members.remove(change.commitment)
        return members


def request_of(
    photograph: str,
    wallet: int,
    consents: frozenset[Consent] = frozenset(),
    *,
    kind: EnrollmentKind = EnrollmentKind.ENROLLMENT,
    key: str | None = None,
) -> EnrollmentRequest:
    """What a kiosk sends; the same request for the same arguments."""
    key = key or f"{kind} {photograph} {wallet}"
    digest = hashlib.sha256(f"{photograph} {wallet} {sorted(consents)}".encode()).hexdigest()
    return EnrollmentRequest(key, digest, wallet, "kiosk", kind, consents)


@contextmanager
def open_desk(engine: Engine, *, keyring: Keyring = KEYRING, days: int = 90) -> Iterator[Desk]:
    """A desk on a database, as at a start of the service."""
    index = FaissFlatIndex(DIMENSION)
    with Gallery.open(GalleryStore(engine, keyring), {MODEL: index}, THRESHOLDS) as gallery:
        yield Desk(engine, gallery, keyring, days)
