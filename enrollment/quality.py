"""Is the face good enough to be told from others? A few measures in the sense of ISO/IEC 29794-5.

The limits refuse what a person can mend by stepping closer or into the light; they are set where
ordinary photographs pass (see docs/decisions/0002-thresholds-from-measurement.md).
"""

from dataclasses import dataclass

import numpy as np

from enrollment.errors import (
    FaceBlurred,
    FaceTooBright,
    FaceTooDark,
    FaceTooSmall,
    QualityRejected,
)
from enrollment.faces import AlignedFace, DetectedFace

MIN_EYE_DISTANCE = 24.0  # pixels
MIN_BRIGHTNESS = 30.0  # mean luma of the inner face, 0..255
MAX_BRIGHTNESS = 230.0
MIN_SHARPNESS = 12.0  # variance of the Laplacian of the aligned luma

_LUMA_BGR = np.array([0.114, 0.587, 0.299], np.float32)  # ITU-R BT.601
_INNER = slice(20, 92)  # the part of the 112 pixels that shows skin and not background


@dataclass(frozen=True)
class QualityReport:
    """Measures of one aligned face.

    Args:
        eye_distance: pixels in the photograph.
        brightness: mean luma, 0..255.
        sharpness: variance of the Laplacian of the luma, >= 0.
    """

    eye_distance: float
    brightness: float
    sharpness: float

    @property
    def faults(self) -> tuple[QualityRejected, ...]:
        """What is wrong with it, each with what to do; empty when nothing is."""
        checks = (
            (self.eye_distance < MIN_EYE_DISTANCE, FaceTooSmall("Come closer to the camera.")),
            (self.brightness < MIN_BRIGHTNESS, FaceTooDark("Turn your face to the light.")),
            (self.brightness > MAX_BRIGHTNESS, FaceTooBright("Step out of the bright light.")),
            (self.sharpness < MIN_SHARPNESS, FaceBlurred("Hold still and try again.")),
        )
        return tuple(fault for failed, fault in checks if failed)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of the faults."""
        return tuple(fault.code for fault in self.faults)

    def require(self) -> None:
        """Refuse a face with a fault.

        Raises:
            QualityRejected: the first fault.
        """
        for fault in self.faults:
            raise fault


def assess(face: DetectedFace, aligned: AlignedFace) -> QualityReport:
    """Measure a face in the photograph and in its aligned crop."""
    luma = aligned.pixels[_INNER, _INNER].astype(np.float32) @ _LUMA_BGR
    center = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * center
    return QualityReport(
        eye_distance=face.eye_distance,
        brightness=float(luma.mean()),
        sharpness=float(laplacian.var()),
    )
