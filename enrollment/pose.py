"""Head pose from five landmarks, and the challenge that asks for poses.

The eyes and the corners of the mouth lie nearly in a plane, the nose in front of it. Write the nose
in the affine frame of that plane,

    nose = eyes + across * (right eye - left eye) + down * (mouth - eyes),

where `eyes` and `mouth` are midpoints, and left and right are those of the picture. No affine map
changes `across` and `down`: a flat photograph keeps them however it is shifted, scaled, tilted or
turned in front of a distant camera. When a head turns they move in proportion to the tangent of
the angle, because the nose stands out. So the pose is also the evidence that there is depth.

    yaw   = atan(across / NOSE_HEIGHT)
    pitch = atan((down - NOSE_LEVEL) / NOSE_HEIGHT)
    roll  = angle of the line from the left eye to the right one

The kiosk page computes the same from its own landmarks. Figures: docs/enrollment.md.
"""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar

import numpy as np

from enrollment.errors import NoFace, PoseNotShown, PosesMirrored
from enrollment.faces import DetectedFace

NOSE_HEIGHT: Final = 0.4  # of the tip above the plane of eyes and mouth, in eye distances
NOSE_LEVEL: Final = 0.55  # of the tip on the way from eyes to mouth, looking straight ahead

MAX_FRONT_YAW: Final = 20.0  # degrees either way
MIN_TURNED_YAW: Final = 25.0
MAX_TURNED_YAW: Final = 60.0

_T = TypeVar("_T")


class Pose(StrEnum):
    """What a frame is to show; left and right are the person's own."""

    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"

    @property
    def mirrored(self) -> "Pose":
        """What a mirror shows of it."""
        return {Pose.LEFT: Pose.RIGHT, Pose.RIGHT: Pose.LEFT}.get(self, self)


@dataclass(frozen=True)
class HeadPose:
    """Angles in degrees, rough: 5 to 8 degrees of error are usual.

    Args:
        yaw: positive when the person has turned to their own left (in a picture that is not
            mirrored: the nose moves right).
        pitch: positive when they look down.
        roll: positive when the head is tilted clockwise in the picture.
        length: from eyes to mouth, in eye distances; grows when a head or a sheet is turned.
    """

    yaw: float
    pitch: float
    roll: float
    length: float

    def shows(self, pose: Pose) -> bool:
        """Tell whether this is the pose asked for; between front and turned it is neither."""
        if pose is Pose.FRONT:
            return abs(self.yaw) <= MAX_FRONT_YAW
        turned = self.yaw if pose is Pose.LEFT else -self.yaw
        return MIN_TURNED_YAW <= turned <= MAX_TURNED_YAW


def head_pose(face: DetectedFace) -> HeadPose:
    """Estimate how a head is held.

    Raises:
        NoFace: eyes and mouth lie on one line, which no face does.
    """
    left_eye, right_eye, nose, left_corner, right_corner = face.landmarks.astype(float)
    eyes, mouth = (left_eye + right_eye) / 2, (left_corner + right_corner) / 2
    eye_line = right_eye - left_eye
    frame = np.stack([eye_line, mouth - eyes], axis=1)
    if abs(np.linalg.det(frame)) < 1e-6 * max(1.0, float(np.sum(frame**2))):
        raise NoFace("No clear face was found. Look straight at the camera.")
    across, down = np.linalg.solve(frame, nose - eyes)
    width, height = np.linalg.norm(frame, axis=0)
    return HeadPose(
        yaw=math.degrees(math.atan(across / NOSE_HEIGHT)),
        pitch=math.degrees(math.atan((down - NOSE_LEVEL) / NOSE_HEIGHT)),
        roll=math.degrees(math.atan2(eye_line[1], eye_line[0])),
        length=float(height / width),
    )


def shows(face: DetectedFace, pose: Pose) -> bool:
    """Tell whether a face is held as asked."""
    return head_pose(face).shows(pose)


def require_poses(faces: Sequence[DetectedFace], poses: Sequence[Pose]) -> None:
    """Refuse frames that do not show the challenge, in its order.

    Raises:
        PosesMirrored: every frame shows what was asked for with left and right exchanged.
        PoseNotShown: the first frame that shows something else, or there are more or fewer frames
            than poses.
    """
    if len(faces) != len(poses):
        raise PoseNotShown(f"{len(poses)} frames are wanted, one for each pose.")
    for number, (face, pose) in enumerate(zip(faces, poses, strict=True), start=1):
        if not shows(face, pose):
            if all(shows(f, p.mirrored) for f, p in zip(faces, poses, strict=True)):
                raise PosesMirrored(
                    "You turned to the other side, or the camera mirrors its pictures: switch "
                    "that off."
                )
            raise PoseNotShown(f"Photograph {number}: {_INSTRUCTION[pose]}")


class Choice(Protocol):
    """The part of `random.Random` that draws a challenge."""

    def choice(self, seq: Sequence[_T], /) -> _T:
        """Choose one, each with the same chance."""
        ...


def draw_poses(generator: Choice | None = None) -> tuple[Pose, ...]:
    """Draw a challenge of three frames: front first, at least one turn, no pose twice in a row.

    Args:
        generator: for tests; by default the operating system's, which nobody can foresee.
    """
    return (generator or secrets.SystemRandom()).choice(CHALLENGES)


CHALLENGES: Final[tuple[tuple[Pose, ...], ...]] = (
    (Pose.FRONT, Pose.LEFT, Pose.FRONT),
    (Pose.FRONT, Pose.RIGHT, Pose.FRONT),
    (Pose.FRONT, Pose.LEFT, Pose.RIGHT),
    (Pose.FRONT, Pose.RIGHT, Pose.LEFT),
)

_INSTRUCTION: Final = {
    Pose.FRONT: "look straight at the camera.",
    Pose.LEFT: "turn your head a little to your left, and keep it there.",
    Pose.RIGHT: "turn your head a little to your right, and keep it there.",
}
