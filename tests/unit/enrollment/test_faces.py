import numpy as np
import pytest

from enrollment.errors import MultipleFaces, NoFace
from enrollment.faces import AlignedFace, DetectedFace, exactly_one
from enrollment.quality import assess


def face(width: float, eyes: float = 40.0) -> DetectedFace:
    landmarks = np.array([[0, 0], [eyes, 0], [20, 20], [5, 40], [35, 40]], np.float32)
    return DetectedFace(np.array([10, 10, 10 + width, 50], np.float32), landmarks, 0.9)


def aligned(value: int, contrast: int = 20) -> AlignedFace:
    noise = np.random.default_rng(0).integers(-contrast, contrast + 1, (112, 112, 1))
    return AlignedFace(np.clip(value + noise.repeat(3, axis=2), 0, 255).astype(np.uint8))


def test_one_face_is_chosen():
    only = face(100)
    assert exactly_one([only]) is only


def test_nobody_and_two_are_refused():
    with pytest.raises(NoFace):
        exactly_one([])
    with pytest.raises(MultipleFaces):
        exactly_one([face(100), face(99)])


def test_a_bystander_at_more_than_twice_the_distance_does_not_count():
    near = face(100)
    assert exactly_one([face(49), near, face(10)]) is near
    with pytest.raises(MultipleFaces):
        exactly_one([face(50), near])


@pytest.mark.parametrize(
    ("eyes", "value", "contrast", "reasons"),
    [
        (60, 130, 20, ()),
        (10, 130, 20, ("face_too_small",)),
        (60, 10, 10, ("face_too_dark",)),
        (60, 250, 5, ("face_too_bright",)),
        (60, 130, 0, ("face_blurred",)),
        (10, 5, 0, ("face_too_small", "face_too_dark", "face_blurred")),
    ],
)
def test_quality_names_every_fault(eyes, value, contrast, reasons):
    report = assess(face(100, eyes), aligned(value, contrast))
    assert report.reasons == reasons
    if reasons:
        with pytest.raises(type(report.faults[0])):
            report.require()
    else:
        report.require()
