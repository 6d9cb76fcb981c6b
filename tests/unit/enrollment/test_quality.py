import numpy as np
import pytest

from enrollment.faces import AlignedFace, DetectedFace
from enrollment.quality import QualityLimits, QualityReport, assess


def face(eyes: float = 60.0, nose: float = 0.0, drop: float = 0.55, confidence: float = 0.95):
    """Eyes level, `nose` eye distances to the right of the middle and `drop` of the way down."""
    landmarks = [[0, 0], [eyes, 0], [(0.5 + nose) * eyes, drop * eyes], [5, eyes], [eyes - 5, eyes]]
    return DetectedFace(
        np.array([-10, -10, eyes + 10, eyes + 10], np.float32),
        np.array(landmarks, np.float32),
        confidence,
    )


def aligned(value: float = 130, contrast: int = 60) -> AlignedFace:
    noise = np.random.default_rng(0).integers(-contrast, contrast + 1, (112, 112, 1))
    return AlignedFace(np.clip(value + noise.repeat(3, axis=2), 0, 255).astype(np.uint8))


def shaded(step: int) -> AlignedFace:
    """A staircase of grey from side to side: every `step`-th shade."""
    luma = (np.arange(112) * 2 // step * step).clip(0, 255).astype(np.uint8)
    return AlignedFace(np.broadcast_to(luma[None, :, None], (112, 112, 3)).copy())


@pytest.mark.parametrize(
    ("seen", "crop", "reason"),
    [
        (face(eyes=20), aligned(), "face_too_small"),
        (face(nose=0.95), aligned(), "face_turned"),
        (face(drop=1.05), aligned(), "face_turned"),
        (face(drop=0.05), aligned(), "face_turned"),
        (face(), aligned(40, 60), "face_too_dark"),
        (face(), aligned(225, 60), "face_too_bright"),
        (face(), aligned(130, 10), "face_low_contrast"),
        (face(), shaded(1), "face_blurred"),
        (face(confidence=0.85), aligned(), "face_covered"),
    ],
)
def test_each_fault_is_named(seen: DetectedFace, crop: AlignedFace, reason: str) -> None:
    report = assess(seen, crop, QualityLimits(min_confidence=0.9))
    assert report.reasons == (reason,)
    with pytest.raises(type(report.faults[0])):
        report.require()


def test_a_good_face_passes() -> None:
    report = assess(face(), aligned(), QualityLimits(min_confidence=0.9))
    assert report.reasons == ()
    report.require()


def test_all_faults_are_reported_the_first_is_raised() -> None:
    report = assess(face(eyes=10), aligned(5, 0))
    assert report.reasons == (
        "face_too_small",
        "face_too_dark",
        "face_low_contrast",
        "face_blurred",
    )


def test_a_hard_shadow_on_half_of_the_face_is_too_dark() -> None:
    crop = aligned()
    crop.pixels[:, :60] //= 16
    assert assess(face(), crop).underexposed > 0.4
    assert assess(face(), crop).reasons == ("face_too_dark",)


def test_a_turned_head_may_hide_part_of_itself() -> None:
    turned = face(nose=0.4, confidence=0.85)  # 45 degrees
    limits = QualityLimits(min_confidence=0.9)
    assert assess(turned, aligned(), limits).reasons == ("face_covered",)
    assert assess(turned, aligned(), limits.for_turned_head()).reasons == ()


def weight(**changes: float) -> float:
    return assess(face(**changes), aligned()).weight


def test_a_frame_weighs_less_when_it_is_small_or_turned_or_soft() -> None:
    assert 0 < weight(eyes=30) < weight()
    assert 0 < weight(nose=0.3) < weight()
    assert 0 < assess(face(), shaded(8)).weight < weight()
    assert assess(face(eyes=1e-3), aligned(0, 0)).weight > 0


def test_one_shade_of_grey_has_no_range_and_no_edges() -> None:
    report = assess(face(), aligned(128, 0))
    assert isinstance(report, QualityReport)
    assert report.dynamic_range == 0
    assert report.sharpness == 0
    assert report.brightness == pytest.approx(128, abs=0.5)
