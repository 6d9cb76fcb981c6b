"""Refuses a picture that was sent before: the same file, re-encoded, or in a mirror.

Of a photograph that led to a decision two things are kept for a day, both under a key that the
database does not hold, so that nobody can tell from the table whom it shows:

- the HMAC of the file;
- eight HMACs, one of each eighth of the aligned face's 64-bit DCT hash (a keyed form of
  locality-sensitive hashing by bands: near pictures share most bands, and bands are compared
  without the hash being known). Five equal bands make two pictures the same.

A mirrored picture has the same face, and a gallery finds it as well; but it is another picture to
this hash. So every frame is hashed a second time as a mirror shows it, and looked up the same way:
no tag is kept of that. Within one request it is compared with the frames beside it too, since one
picture of a turned head, flipped, would pass for the other side.

Pictures that a living person gives within one minute are nearly alike too, so only what was decided
is remembered: whoever was refused for light or pose tries again undisturbed.
"""

import hashlib
import hmac
import operator
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import BigInteger, Connection, Engine, String, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base, Database
from enrollment.errors import FrameMirrored, FrameReused
from enrollment.faces import AlignedFace, Image

LIFETIME: Final = 24 * 3600  # seconds
BANDS: Final = 8
SAME_BANDS: Final = 5  # of BANDS: a Hamming distance of 3 always is the same, one of 12 never

_TAG_BYTES = 16


class CaptureTagRow(Base):
    """One keyed tag of one recent capture: of its file, or of a band of its face's hash."""

    __tablename__ = "recent_capture_tags"

    capture: Mapped[str] = mapped_column(String(32), primary_key=True)
    tag: Mapped[str] = mapped_column(String(2 * _TAG_BYTES), primary_key=True, index=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


@dataclass(frozen=True, eq=False)
class CapturedFrame:
    """One photograph of a request.

    Args:
        content: its file.
        face: in it.
        mirrored: the face in its mirror image; None where nobody looked, or none was seen.
    """

    content: bytes = field(repr=False)
    face: AlignedFace = field(repr=False)
    mirrored: AlignedFace | None = field(default=None, repr=False)

    @property
    def pixels(self) -> tuple[Image, ...]:
        """What is to be overwritten when the request is done with."""
        return (self.face.pixels, *((self.mirrored.pixels,) if self.mirrored else ()))


class ReplayGuard:
    """Knows what was sent lately, at all kiosks of one database.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; the table is made if absent.
        key: 32 secret bytes, not kept in that database; with another key everything is forgotten.
        clock: Unix seconds.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(
        self, engine: Engine, key: bytes, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = Database(engine)
        self._key = key
        self._clock = clock

    def require_fresh(self, frames: Sequence[CapturedFrame]) -> None:
        """Refuse frames of which one was sent before, in this request or an earlier one.

        Raises:
            FrameReused: one was.
            FrameMirrored: one is the mirror image of such a frame, or of one beside it.
        """
        if len({frame.content for frame in frames}) < len(frames):
            raise FrameReused(_MESSAGE)
        files = [self._file_tag(frame) for frame in frames]
        with self._database.read() as connection:
            alive = CaptureTagRow.expires_at > self._clock()
            seen = select(CaptureTagRow.tag).where(CaptureTagRow.tag.in_(files), alive).limit(1)
            known = connection.execute(seen).first() is not None
            known = known or any(self._is_near(connection, frame.face) for frame in frames)
            mirrored = any(
                self._is_near(connection, frame.mirrored) for frame in frames if frame.mirrored
            )
        if known:
            raise FrameReused(_MESSAGE)
        if mirrored or _mirror_each_other(frames):
            raise FrameMirrored(_MIRRORED)

    def remember(self, frames: Sequence[CapturedFrame], *, again_soon: bool = False) -> None:
        """Keep the tags of frames that led to a decision, and forget those that expired.

        Args:
            again_soon: the person was asked for other photographs, as for a review: only the
                files are remembered then, since the next photographs will look much the same.
        """
        now = int(self._clock())
        rows = [
            {"capture": capture, "tag": tag, "expires_at": now + LIFETIME}
            for frame in frames
            for capture in (uuid.uuid4().hex,)
            for tag in {
                self._file_tag(frame),
                *(() if again_soon else self._band_tags(frame.face)),
            }
        ]
        with self._database.write() as connection:
            connection.execute(delete(CaptureTagRow).where(CaptureTagRow.expires_at <= now))
            connection.execute(insert(CaptureTagRow), rows)

    def _is_near(self, connection: Connection, face: AlignedFace) -> bool:
        """Whether a capture that is remembered looks like this."""
        near = (
            select(CaptureTagRow.capture)
            .where(
                CaptureTagRow.tag.in_(self._band_tags(face)),
                CaptureTagRow.expires_at > self._clock(),
            )
            .group_by(CaptureTagRow.capture)
            .having(func.count() >= SAME_BANDS)
            .limit(1)
        )
        return connection.execute(near).first() is not None

    def _file_tag(self, frame: CapturedFrame) -> str:
        return self._tag(b"file", hashlib.sha256(frame.content).digest())

    def _band_tags(self, face: AlignedFace) -> list[str]:
        return [
            self._tag(b"band%d" % place, bytes([band])) for place, band in enumerate(_bands(face))
        ]

    def _tag(self, kind: bytes, content: bytes) -> str:
        digest = hmac.digest(self._key, b"personhood capture " + kind + b"\0" + content, "sha256")
        return digest[:_TAG_BYTES].hex()


def _mirror_each_other(frames: Sequence[CapturedFrame]) -> bool:
    """Whether a frame is the mirror image of another one of its request."""
    faces = [_bands(frame.face) for frame in frames]
    mirrored = [_bands(frame.mirrored) if frame.mirrored else b"" for frame in frames]
    return any(
        place != other and sum(map(operator.eq, bands, face)) >= SAME_BANDS
        for place, face in enumerate(faces)
        for other, bands in enumerate(mirrored)
    )


def _bands(face: AlignedFace) -> bytes:
    return perceptual_hash(face).to_bytes(BANDS, "big")


def perceptual_hash(face: AlignedFace) -> int:
    """Hash what a face looks like to 64 bits, of which near pictures share most.

    The discrete cosine transform of the face's luma at 32x32, without the constant, against the
    median, as in Zauner, "Implementation and benchmarking of perceptual image hash functions"
    (2010).
    """
    luma = face.pixels[_FACE, _FACE].astype(np.float64) @ _LUMA_BGR
    small = luma.reshape(_SIDE, _STEP, _SIDE, _STEP).mean(axis=(1, 3))
    low = (_COSINES @ small @ _COSINES.T).ravel()[1 : _BITS + 1]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


_MESSAGE: Final = "This photograph was used before. Let the camera take a new one."
_MIRRORED: Final = "This photograph is the mirror image of another. Let the camera take a new one."
_LUMA_BGR: Final = np.array([0.114, 0.587, 0.299])  # ITU-R BT.601
_BITS, _SIDE, _STEP = 64, 32, 3
_FACE: Final = slice(8, 8 + _SIDE * _STEP)
_COSINES: Final = np.cos(
    np.pi / _SIDE * np.outer(np.arange(9), np.arange(_SIDE) + 0.5)
)  # the first nine rows of the DCT-II
