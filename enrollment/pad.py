"""Presentation-attack detection: is a living head in front of the camera, or a picture of one?

Two kinds of evidence, each with its own reach (docs/enrollment.md has the figures):

- `DepthByTurning`: between the front frame and a turned one the nose has moved against eyes and
  mouth as a head makes it move. A flat picture hardly does that, however it is held; a film of a
  turning head, several photographs of one person, a bent sheet or a mask do.
- `PassiveModel`: a classifier from a model pack looks at each front frame by itself.

The third, `enrollment.replay`, refuses pictures that were sent before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from enrollment.errors import PresentationAttackSuspected
from enrollment.faces import DetectedFace, Image
from enrollment.pose import MAX_TURNED_YAW, HeadPose, Pose, head_pose

MIN_TURN: Final = 20.0  # degrees of yaw between a front frame and a turned one
NARROWING_SLACK: Final = 0.4  # how much more a face may narrow than its yaw explains


@dataclass(frozen=True, eq=False)
class Frame:
    """One photograph of the challenge.

    Args:
        image: (h, w, 3) uint8 BGR.
        face: the one in it.
        pose: what it was to show.
    """

    image: Image = field(repr=False)
    face: DetectedFace = field(repr=False)
    pose: Pose


@dataclass(frozen=True)
class PadResult:
    """What one detector says of the frames of one person.

    Args:
        detector: its name, for the operator's counts.
        suspected: whether this is taken for an attack.
    """

    detector: str
    suspected: bool


class PresentationAttackDetector(Protocol):
    """Looks at all frames of one session; safe to call from many threads."""

    def examine(self, frames: Sequence[Frame]) -> PadResult:
        """Judge the frames together."""
        ...


class FaceScorer(Protocol):
    """A model that scores one face; `enrollment.engine.PadModel` is one."""

    def score(self, image: Image, face: DetectedFace) -> float:
        """Score it in [0, 1]; 1 is bona fide."""
        ...


class DepthByTurning:
    """The challenge shows depth; suspects frames in which no head turned.

    Of every front frame and every turned one it asks two things. The yaw differs by `MIN_TURN`: a
    half-profile photograph, read as front once and as turned once by the noise of landmarks, does
    not reach that. And the face narrows by about 1 / cos(yaw): a sheet must be turned much further
    than a head before its landmarks look turned, and narrows more.
    """

    name: Final = "depth_by_turning"

    def examine(self, frames: Sequence[Frame]) -> PadResult:
        """Judge the frames; without a turned one there is nothing to judge."""
        heads = [(frame.pose, head_pose(frame.face)) for frame in frames]
        fronts = [head for pose, head in heads if pose is Pose.FRONT]
        flat = any(
            not _has_turned(front, head, pose)
            for pose, head in heads
            if pose is not Pose.FRONT
            for front in fronts
        )
        return PadResult(self.name, flat)


def _has_turned(front: HeadPose, turned: HeadPose, pose: Pose) -> bool:
    turn = turned.yaw - front.yaw if pose is Pose.LEFT else front.yaw - turned.yaw
    narrowing = turned.length / front.length
    explained = 1 / math.cos(math.radians(min(abs(turned.yaw), MAX_TURNED_YAW)))
    return turn >= MIN_TURN and narrowing <= explained + NARROWING_SLACK


class PassiveModel:
    """A pack's classifier on the front frames, whose mean score must reach the pack's threshold.

    Args:
        name: of the pack.
        scorer: its model.
        threshold: least mean score of a bona fide presentation.
    """

    def __init__(self, name: str, scorer: FaceScorer, threshold: float) -> None:
        self.name: Final = name
        self._scorer = scorer
        self._threshold = threshold

    def examine(self, frames: Sequence[Frame]) -> PadResult:
        """Judge the front frames; without one there is nothing to judge."""
        scores = [
            self._scorer.score(frame.image, frame.face)
            for frame in frames
            if frame.pose is Pose.FRONT
        ]
        suspected = bool(scores) and sum(scores) / len(scores) < self._threshold
        return PadResult(self.name, suspected)


def require_bona_fide(
    detectors: Sequence[PresentationAttackDetector], frames: Sequence[Frame]
) -> None:
    """Refuse frames that any detector suspects.

    Raises:
        PresentationAttackSuspected: without a word of which detector, or how far it was off.
    """
    if any(detector.examine(frames).suspected for detector in detectors):
        raise PresentationAttackSuspected(
            "The camera does not see a living face clearly. Take away anything between you and "
            "the camera, and follow the instructions again."
        )
