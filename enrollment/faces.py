"""What a face is between detection and template, and who may find and embed one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from enrollment.errors import MultipleFaces, NoFace

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

ALIGNED_SIZE = 112  # pixels, the input of every ArcFace-style embedder

# A face less than half as wide as the widest stands at least twice as far from the camera: a
# bystander. The figures behind it are in docs/decisions/0002-thresholds-from-measurement.md.
BYSTANDER_WIDTH_RATIO = 1 / 2


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """One detection, in pixels of the photograph that was searched.

    Args:
        box: (4,) float32, left, top, right, bottom; may reach over the border.
        landmarks: (5, 2) float32 (x, y): the eye on the left of the picture, the one on the
            right, nose tip, left and right corner of the mouth.
        confidence: the detector's own, in [0, 1].
    """

    box: FloatArray
    landmarks: FloatArray
    confidence: float

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def eye_distance(self) -> float:
        """Pixels between the eye centres, the measure of size of ISO/IEC 29794-5."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face warped to the embedder's five reference points: (112, 112, 3) uint8 BGR."""

    pixels: Image = field(repr=False)


class FaceDetector(Protocol):
    """Finds faces; safe to call from many threads."""

    def detect(self, images: Sequence[Image]) -> list[tuple[DetectedFace, ...]]:
        """Find every face in each of some (h, w, 3) uint8 BGR images, the widest first."""
        ...


class FaceEmbedder(Protocol):
    """Turns aligned faces into comparable vectors; safe to call from many threads."""

    def embed(self, faces: Sequence[AlignedFace]) -> FloatArray:
        """Embed n faces as (n, d) float32 rows of unit norm."""
        ...


def widest_first(faces: Iterable[DetectedFace]) -> tuple[DetectedFace, ...]:
    """Sort faces as a detector gives them."""
    return tuple(sorted(faces, key=lambda face: face.width, reverse=True))


def exactly_one(faces: Sequence[DetectedFace]) -> DetectedFace:
    """Choose the person in front of the camera.

    Raises:
        NoFace: nobody is there.
        MultipleFaces: a second face is at least half as wide as the widest.
    """
    if not faces:
        raise NoFace("No face was found. Look straight at the camera.")
    widest, *others = widest_first(faces)
    if any(face.width >= BYSTANDER_WIDTH_RATIO * widest.width for face in others):
        raise MultipleFaces("More than one face was found. One person at a time, please.")
    return widest
