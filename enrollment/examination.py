"""From the photographs of one turn to templates: every step that needs no gallery, in order."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from enrollment.capture import decode, wiped
from enrollment.engine import align, flipped
from enrollment.errors import MalformedRequest
from enrollment.face_models import FaceModel
from enrollment.faces import AlignedFace, FaceDetector, Image, exactly_one
from enrollment.frames import merge, require_one_person
from enrollment.pad import Frame, PresentationAttackDetector, require_bona_fide
from enrollment.portraits import portrait
from enrollment.pose import Pose, require_poses
from enrollment.quality import assess
from enrollment.replay import CapturedFrame
from uniqueness.template import Template


@dataclass(frozen=True, eq=False)
class Examined:
    """What some frames show.

    Args:
        templates: one a model.
        frames: each with its face, for `enrollment.replay`.
        portraits: encoded pictures of the face, one a frame, where they were asked for.
    """

    templates: tuple[Template, ...]
    frames: tuple[CapturedFrame, ...] = field(repr=False)
    portraits: tuple[bytes, ...] = field(default=(), repr=False)


class Examiner:
    """Makes templates of the one person in some frames, or refuses them; safe in many threads.

    Args:
        models: of the gallery, in its order; the first one judges the frames.
        attack_detectors: each may refuse the frames.
    """

    def __init__(
        self,
        models: Sequence[FaceModel],
        attack_detectors: Sequence[PresentationAttackDetector] = (),
    ) -> None:
        self._models = tuple(models)
        self._attack_detectors = tuple(attack_detectors)

    def examine(
        self,
        captures: Sequence[bytes],
        poses: Sequence[Pose],
        *,
        portraits: bool = False,
        mirrors: bool = False,
    ) -> Examined:
        """Look at the frames of one turn.

        Args:
            captures: photographs as JPEG, PNG or WebP bytes.
            poses: what they have to show, one each; a single one is any plain photograph.
            portraits: also make the pictures that a consenting person lets be kept.
            mirrors: also look in a mirror, for `enrollment.replay`: at the first frame, and at a
                side of two, which is another detection each.

        Raises:
            MalformedRequest: there are more or fewer frames than poses.
            CaptureRejected, FaceRejected: the frames do not show one usable face as asked.
        """
        if len(captures) != len(poses):
            raise MalformedRequest(f"This session takes {len(poses)} frames, one for each pose.")
        first, *further = self._models
        with _decoded(captures) as images:
            faces = [exactly_one(found) for found in first.detector.detect(images)]
            if len(poses) > 1:
                require_poses(faces, poses)
            frames = list(map(Frame, images, faces, poses))
            aligned = _aligned(frames)
            weights = _weights(first, frames, aligned)
            require_bona_fide(self._attack_detectors, frames)
            vectors = first.embedder.embed(aligned)
            require_one_person(vectors, first.same_person)
            templates = [Template(merge(vectors, weights, poses), first.model)]
            templates += [_further_template(model, frames, first) for model in further]
            kept = tuple(portrait(frame.image, frame.face) for frame in frames if portraits)
            looked_at = _worth_a_mirror(poses) if mirrors else ()
            mirrored = in_a_mirror(first.detector, [images[place] for place in looked_at])
            of_place = dict(zip(looked_at, mirrored, strict=True))
            seen = tuple(
                CapturedFrame(capture, face, of_place.get(place))
                for place, (capture, face) in enumerate(zip(captures, aligned, strict=True))
            )
            return Examined(tuple(templates), seen, kept)


def _further_template(model: FaceModel, frames: Sequence[Frame], first: FaceModel) -> Template:
    """Make another model's template, whose own detector looks where the first one's is not it."""
    if model.detector is not first.detector:
        found = model.detector.detect([frame.image for frame in frames])
        frames = [
            replace(frame, face=exactly_one(faces))
            for frame, faces in zip(frames, found, strict=True)
        ]
    aligned = _aligned(frames)
    weights = _weights(model, frames, aligned)
    poses = [frame.pose for frame in frames]
    return Template(merge(model.embedder.embed(aligned), weights, poses), model.model)


def _worth_a_mirror(poses: Sequence[Pose]) -> Sequence[int]:
    """The first frame, for whole turns that were flipped; and one of two sides, for one that was.

    Not all of them: each costs a detection, a third of what a frame costs.
    """
    sides = [place for place, pose in enumerate(poses) if pose is not Pose.FRONT]
    return sorted({0, sides[0]}) if len(sides) > 1 else [0]


def in_a_mirror(detector: FaceDetector, images: Sequence[Image]) -> list[AlignedFace | None]:
    """The face in each mirrored photograph; None where the detector sees none there.

    Detected anew: the mirrored landmarks lie otherwise than those of a mirrored photograph, by more
    than a hash of the face bears.
    """
    mirrored = [flipped(image) for image in images]
    with wiped(*mirrored):
        found = detector.detect(mirrored)
        return [
            align(image, faces[0]) if faces else None
            for image, faces in zip(mirrored, found, strict=True)
        ]


def _aligned(frames: Sequence[Frame]) -> list[AlignedFace]:
    return [align(frame.image, frame.face) for frame in frames]


def _weights(
    model: FaceModel, frames: Sequence[Frame], aligned: Sequence[AlignedFace]
) -> list[float]:
    """Refuse a face of poor quality; tell how much each of the others counts."""
    weights = []
    for frame, crop in zip(frames, aligned, strict=True):
        limits = model.limits if frame.pose is Pose.FRONT else model.limits.for_turned_head()
        report = assess(frame.face, crop, limits)
        report.require()
        weights.append(report.weight)
    return weights


@contextmanager
def _decoded(captures: Sequence[bytes]) -> Iterator[list[Image]]:
    """The photographs as pixels, which are overwritten when the block ends."""
    with ExitStack() as stack:
        images = []
        for capture in captures:
            images.append(decode(capture))
            stack.enter_context(wiped(images[-1]))
        yield images
