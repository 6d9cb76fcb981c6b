"""YuNet (Wu et al., 2023) on ONNX Runtime: photographs in, faces out.

The network looks at a photograph through three grids of squares, of 8, 16 and 32 pixels a side. Of
each square it says whether a face has its middle there, and where its box and its landmarks lie.
What goes in and how the answer is read are as in OpenCV's `FaceDetectorYN`: a test compares them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from enrollment.faces import DetectedFace, FloatArray, Image, widest_first

_MAX_SIDE: Final = 640  # pixels; it was trained on faces up to about 300 pixels
_CONFIDENCE: Final = 0.8
_OVERLAP: Final = 0.3  # intersection over union, from which two candidates are one face
_STRIDES: Final = (8, 16, 32)  # pixels
_OUTPUTS: Final = tuple(
    f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES
)
_LANDMARKS: Final = 5

Outputs = Mapping[str, FloatArray]  # of one picture, each (squares, values)


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may be a face, in pixels of the picture that was searched.

    Args:
        confidence: (n,) float32, in [0, 1].
        boxes: (n, 4) float32: left, top, width, height.
        landmarks: (n, 5, 2) float32 (x, y).
    """

    confidence: FloatArray
    boxes: FloatArray
    landmarks: FloatArray


class YuNetDetector:
    """A `FaceDetector`; photographs of one size are searched together.

    Args:
        session: of ONNX Runtime, whose network takes any number of pictures of any size.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def detect(self, images: Sequence[Image]) -> list[tuple[DetectedFace, ...]]:
        """Find faces; images larger than YuNet's range are searched scaled down."""
        scales = [min(1.0, _MAX_SIDE / max(image.shape[:2])) for image in images]
        pictures = list(map(_prepared, images, scales))
        found: dict[int, tuple[DetectedFace, ...]] = {}
        for places in _of_one_shape(pictures):
            batch = np.stack([pictures[place] for place in places])
            outputs = self._session.run(_OUTPUTS, {"input": batch})
            for row, place in enumerate(places):
                of_picture = dict(zip(_OUTPUTS, (output[row] for output in outputs), strict=True))
                seen = _candidates(of_picture, width=batch.shape[-1])
                found[place] = _faces(seen, scales[place])
        return [found[place] for place in range(len(images))]


def _prepared(image: Image, scale: float) -> FloatArray:
    """Scale an image and fill it up to multiples of the largest stride: (3, h, w)."""
    import cv2

    pixels: Any = image
    if scale < 1.0:
        height, width = image.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    missing = [-side % _STRIDES[-1] for side in pixels.shape[:2]]
    filled = np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)))
    return np.ascontiguousarray(filled.transpose(2, 0, 1), np.float32)


def _of_one_shape(pictures: Sequence[FloatArray]) -> list[list[int]]:
    """The places of pictures that can be stacked."""
    places: dict[tuple[int, ...], list[int]] = {}
    for place, picture in enumerate(pictures):
        places.setdefault(picture.shape, []).append(place)
    return list(places.values())


def _candidates(outputs: Outputs, width: int) -> Candidates:
    grids = [_of_grid(outputs, stride, width // stride) for stride in _STRIDES]
    return Candidates(
        np.concatenate([grid.confidence for grid in grids]),
        np.concatenate([grid.boxes for grid in grids]),
        np.concatenate([grid.landmarks for grid in grids]),
    )


def _of_grid(outputs: Outputs, stride: int, columns: int) -> Candidates:
    is_face, is_middle = (outputs[f"{kind}_{stride}"][:, 0] for kind in ("cls", "obj"))
    confidence = np.sqrt(np.clip(is_face, 0, 1) * np.clip(is_middle, 0, 1))
    squares = np.flatnonzero(confidence >= _CONFIDENCE)
    from_top, from_left = np.divmod(squares, columns)
    corner = np.stack([from_left, from_top], axis=1).astype(np.float32)
    box = outputs[f"bbox_{stride}"][squares]
    middle, size = corner + box[:, :2], np.exp(box[:, 2:])
    points = outputs[f"kps_{stride}"][squares].reshape(-1, _LANDMARKS, 2)
    return Candidates(
        confidence[squares],
        np.hstack([middle - size / 2, size]) * np.float32(stride),
        (points + corner[:, None]) * np.float32(stride),
    )


def _faces(seen: Candidates, scale: float) -> tuple[DetectedFace, ...]:
    """One face of the candidates that overlap, in pixels of the photograph."""
    import cv2

    boxes = np.trunc(seen.boxes).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, seen.confidence.tolist(), _CONFIDENCE, _OVERLAP)
    corners = np.hstack([seen.boxes[:, :2], seen.boxes[:, :2] + seen.boxes[:, 2:]])
    return widest_first(
        DetectedFace(
            box=corners[place] / np.float32(scale),
            landmarks=seen.landmarks[place] / np.float32(scale),
            confidence=float(seen.confidence[place]),
        )
        for place in kept
    )
