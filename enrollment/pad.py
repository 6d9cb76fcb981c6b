"""Presentation-attack detection: is a living head in front of the camera, or a picture of one?

Two kinds of evidence, each with its own reach (docs/enrollment.md has the figures):

- `DepthByTurning`: between the front frame and a turned one the nose has moved out of the plane of
  eyes and mouth as far as a head makes it move. No flat picture does that, however it is held; a
  film of a turning head, several photographs of one person, or a mask do.
- `PassiveModel`: a classifier from a model pack looks at each front frame by itself.

The third, `enrollment.replay`, refuses pictures that were sent before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from enrollment.errors import PresentationAttackSuspected
from enrollment.faces import DetectedFace, Image
from enrollment.pose import Pose, head_pose

MIN_TURN: Final = 15.0  # degrees of yaw between a front frame and a turned one


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

    Args:
        min_turn: degrees of yaw between any front frame and any turned one.
    """

    name: Final = "depth_by_turning"

    def __init__(self, min_turn: float = MIN_TURN) -> None:
        self._min_turn = min_turn

    def examine(self, frames: Sequence[Frame]) -> PadResult:
        """Judge the frames; without a turned one there is nothing to judge."""
        yaws = [(frame.pose, head_pose(frame.face).yaw) for frame in frames]
        fronts = [yaw for pose, yaw in yaws if pose is Pose.FRONT]
        turns = [
            turned - front if pose is Pose.LEFT else front - turned
            for pose, turned in yaws
            if pose is not Pose.FRONT
            for front in fronts
        ]
        return PadResult(self.name, min(turns, default=self._min_turn) < self._min_turn)


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
