"""One template from several frames of one person."""

from collections.abc import Sequence

import numpy as np

from enrollment.errors import FramesInconsistent
from enrollment.faces import FloatArray
from enrollment.pose import Pose


def require_one_person(vectors: FloatArray, min_cosine: float) -> None:
    """Refuse frames between which the person changed.

    Args:
        vectors: (n, d) float32 rows of unit norm, one a frame, turned ones included.
        min_cosine: what any two frames must have in common; a pack's manifest gives it.

    Raises:
        FramesInconsistent: the two frames that are least alike are below.
    """
    if len(vectors) > 1 and float((vectors @ vectors.T).min()) < min_cosine:
        raise FramesInconsistent(
            "The photographs do not show one person. Step in front of the camera alone and "
            "start again."
        )


def merge(
    vectors: FloatArray, weights: Sequence[float], poses: Sequence[Pose] | None = None
) -> FloatArray:
    """Merge the frames that look at the camera into one template: their weighted mean.

    Args:
        vectors: (n, d) float32 rows of unit norm, one a frame.
        weights: n positive numbers, from `QualityReport.weight`.
        poses: n, what each frame shows; by default all look at the camera.

    Returns:
        (d,) float32 of unit norm.

    Raises:
        FramesInconsistent: the frames cancel each other, as those of one person never do.
        ValueError: no frame looks at the camera, or a weight is not positive.
    """
    fronts = np.array([pose is Pose.FRONT for pose in poses or [Pose.FRONT] * len(vectors)])
    scale = np.asarray(weights, np.float32) * fronts
    if not (np.asarray(weights) > 0).all() or not fronts.any():
        raise ValueError("a template needs a frame that looks at the camera, and positive weights")
    mean = scale @ vectors
    length = float(np.linalg.norm(mean))
    if length < 1e-3 * float(scale.sum()):
        raise FramesInconsistent("The photographs do not show one person. Start again.")
    return np.asarray(mean / length, np.float32)
