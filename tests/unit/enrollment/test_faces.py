import numpy as np
import pytest

from enrollment.errors import MultipleFaces, NoFace
from enrollment.faces import DetectedFace, exactly_one


def face(width: float, eyes: float = 40.0) -> DetectedFace:
    landmarks = np.array([[0, 0], [eyes, 0], [20, 20], [5, 40], [35, 40]], np.float32)
    return DetectedFace(np.array([10, 10, 10 + width, 50], np.float32), landmarks, 0.9)


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
