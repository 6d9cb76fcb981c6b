"""Is the face good enough to be told from others? Measures in the sense of ISO/IEC 29794-5.

The limits refuse what a person can mend by stepping closer, into the light or out of a scarf. They
are set where about one ordinary photograph in a thousand fails each: docs/enrollment.md has the
table, and what the measures catch.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np

from enrollment.errors import (
    FaceBlurred,
    FaceCovered,
    FaceLowContrast,
    FaceTooBright,
    FaceTooDark,
    FaceTooSmall,
    FaceTurned,
    QualityRejected,
)
from enrollment.faces import AlignedFace, DetectedFace
from enrollment.pose import HeadPose, head_pose

_LUMA_BGR: Final = np.array([0.114, 0.587, 0.299], np.float32)  # ITU-R BT.601
_INNER: Final = slice(20, 92)  # the part of the 112 pixels that shows skin and not background
_DARKEST, _BRIGHTEST = 25, 247  # luma; what is counted as under- and overexposed


@dataclass(frozen=True)
class QualityLimits:
    """What a face may measure; the defaults suit every detector, but for `min_confidence`.

    Whether a head is held as a challenge asks is `enrollment.pose`'s matter and stricter; these
    angles are what a photograph that nobody posed for may have.

    Args:
        min_confidence: of the detector, below which something covers the face; every detector has
            its own scale, so a pack's manifest gives the number, and 0 asks nothing.
    """

    min_eye_distance: float = 24.0
    max_yaw: float = 65.0
    max_pitch: float = 45.0
    max_roll: float = 30.0
    min_brightness: float = 50.0
    max_brightness: float = 210.0
    max_underexposed: float = 0.4
    max_overexposed: float = 0.25
    min_dynamic_range: float = 5.0
    min_sharpness: float = 12.0
    min_confidence: float = 0.0

    def for_turned_head(self) -> Self:
        """Give the limits of a frame that was to show a turned head, which hides part of itself."""
        return replace(self, min_confidence=0.0)


@dataclass(frozen=True)
class QualityReport:
    """Measures of one aligned face.

    Args:
        eye_distance: pixels in the photograph.
        brightness: mean luma, 0..255.
        sharpness: variance of the Laplacian of the luma, >= 0.
        underexposed: fraction of pixels with a luma of at most 25.
        overexposed: fraction of pixels with a luma of at least 247.
        dynamic_range: entropy of the luma's histogram in bits, 0..8.
        head: how the head is held.
        confidence: the detector's, which falls when something hides eyes, nose or mouth.
        limits: what `faults` compares with.
    """

    eye_distance: float
    brightness: float
    sharpness: float
    underexposed: float
    overexposed: float
    dynamic_range: float
    head: HeadPose
    confidence: float
    limits: QualityLimits = field(repr=False)

    @property
    def faults(self) -> tuple[QualityRejected, ...]:
        """What is wrong with it, each with what to do; empty when nothing is."""
        head, limits = self.head, self.limits
        turned = (
            abs(head.yaw) > limits.max_yaw
            or abs(head.pitch) > limits.max_pitch
            or abs(head.roll) > limits.max_roll
        )
        dark = (
            self.brightness < limits.min_brightness or self.underexposed > limits.max_underexposed
        )
        bright = (
            self.brightness > limits.max_brightness or self.overexposed > limits.max_overexposed
        )
        checks = (
            (self.eye_distance < limits.min_eye_distance, FaceTooSmall("Come closer.")),
            (turned, FaceTurned("Look straight at the camera.")),
            (dark, FaceTooDark("Turn your face to the light.")),
            (bright, FaceTooBright("Step out of the bright light.")),
            (
                self.dynamic_range < limits.min_dynamic_range,
                FaceLowContrast("Turn away from the light behind you."),
            ),
            (self.sharpness < limits.min_sharpness, FaceBlurred("Hold still and try again.")),
            (
                self.confidence < limits.min_confidence,
                FaceCovered("Take off sunglasses, mask or scarf, and your hand from your face."),
            ),
        )
        return tuple(fault for failed, fault in checks if failed)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of the faults."""
        return tuple(fault.code for fault in self.faults)

    @property
    def weight(self) -> float:
        """How much a frame counts in a template, > 0: sharp, large and frontal ones count more."""
        size = min(1.0, self.eye_distance / _ENOUGH_EYE_DISTANCE)
        focus = min(1.0, self.sharpness / _ENOUGH_SHARPNESS)
        front = max(0.0, float(np.cos(np.radians(self.head.yaw))))
        return max(_LEAST_WEIGHT, size * focus * front)

    def require(self) -> None:
        """Refuse a face with a fault.

        Raises:
            QualityRejected: the first fault.
        """
        for fault in self.faults:
            raise fault


def assess(
    face: DetectedFace, aligned: AlignedFace, limits: QualityLimits = QualityLimits()
) -> QualityReport:
    """Measure a face in the photograph and in its aligned crop.

    Raises:
        NoFace: the landmarks are degenerate.
    """
    luma = aligned.pixels[_INNER, _INNER].astype(np.float32) @ _LUMA_BGR
    center = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * center
    shades = np.bincount(np.rint(luma).astype(np.intp).ravel(), minlength=256) / luma.size
    used = shades[shades > 0]
    return QualityReport(
        eye_distance=face.eye_distance,
        brightness=float(luma.mean()),
        sharpness=float(laplacian.var()),
        underexposed=float(shades[: _DARKEST + 1].sum()),
        overexposed=float(shades[_BRIGHTEST:].sum()),
        dynamic_range=float(-(used @ np.log2(used))),
        head=head_pose(face),
        confidence=face.confidence,
        limits=limits,
    )


_ENOUGH_EYE_DISTANCE: Final = 60.0  # pixels; the embedder sees 35
_ENOUGH_SHARPNESS: Final = 160.0  # the median of ordinary photographs
_LEAST_WEIGHT: Final = 0.05
