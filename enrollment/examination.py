"""From the photographs of one turn to templates: every step that needs no gallery, in order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from enrollment.capture import decode
from enrollment.engine import align
from enrollment.errors import MalformedRequest
from enrollment.extraction import FaceModel
from enrollment.faces import DetectedFace, FloatArray, Image, exactly_one
from enrollment.frames import merge, require_one_person
from enrollment.pose import Pose, require_poses
from enrollment.quality import QualityReport, assess
from uniqueness.template import Template


class Examiner:
    """Makes templates of the one person in some frames, or refuses them; safe in many threads.

    Args:
        models: of the gallery, in its order; the first one judges the frames.
    """

    def __init__(self, models: Sequence[FaceModel]) -> None:
        self._models = tuple(models)

    def examine(self, captures: Sequence[bytes], poses: Sequence[Pose]) -> tuple[Template, ...]:
        """Look at the frames of one turn.

        Args:
            captures: photographs as JPEG, PNG or WebP bytes.
            poses: what they have to show, one each; a single one is any plain photograph.

        Returns:
            One template a model.

        Raises:
            MalformedRequest: there are more or fewer frames than poses.
            CaptureRejected, FaceRejected: the frames do not show one usable face as asked.
        """
        if len(captures) != len(poses):
            raise MalformedRequest(f"This session takes {len(poses)} frames, one for each pose.")
        first, *further = self._models
        with _decoded(captures) as images:
            faces = [exactly_one(first.detector.detect(image)) for image in images]
            if len(poses) > 1:
                require_poses(faces, poses)
            vectors, weights = _embed(first, images, faces, poses)
            require_one_person(vectors, first.same_person)
            templates = [Template(merge(vectors, weights, poses), first.model)]
            for model in further:
                found = [
                    face if model.detector is first.detector else _find(model, image)
                    for image, face in zip(images, faces, strict=True)
                ]
                vectors, weights = _embed(model, images, found, poses)
                templates.append(Template(merge(vectors, weights, poses), model.model))
        return tuple(templates)


def _find(model: FaceModel, image: Image) -> DetectedFace:
    return exactly_one(model.detector.detect(image))


def _embed(
    model: FaceModel,
    images: Sequence[Image],
    faces: Sequence[DetectedFace],
    poses: Sequence[Pose],
) -> tuple[FloatArray, list[float]]:
    """Embed each frame of good quality: (n, d) unit vectors, and n weights."""
    aligned = [align(image, face) for image, face in zip(images, faces, strict=True)]
    reports = []
    for face, crop, pose in zip(faces, aligned, poses, strict=True):
        limits = model.limits if pose is Pose.FRONT else model.limits.for_turned_head()
        reports.append(_good(assess(face, crop, limits)))
    return model.embedder.embed(aligned), [report.weight for report in reports]


def _good(report: QualityReport) -> QualityReport:
    report.require()
    return report


@contextmanager
def _decoded(captures: Sequence[bytes]) -> Iterator[list[Image]]:
    """The photographs as pixels, which are overwritten when the block ends."""
    images: list[Image] = []
    try:
        for capture in captures:
            images.append(decode(capture))
        yield images
    finally:
        for image in images:
            image.fill(0)
