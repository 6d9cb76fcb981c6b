import numpy as np
import pytest

from enrollment.errors import PresentationAttackSuspected
from enrollment.faces import DetectedFace, Image
from enrollment.pad import DepthByTurning, Frame, PassiveModel, require_bona_fide
from enrollment.pose import Pose
from tests.unit.enrollment.test_pose import face, turned

IMAGE: Image = np.zeros((8, 8, 3), np.uint8)
FRONT, LEFT, RIGHT = Pose.FRONT, Pose.LEFT, Pose.RIGHT


def frames(*shown: tuple[Pose, DetectedFace]) -> list[Frame]:
    return [Frame(IMAGE, face, pose) for pose, face in shown]


def test_a_head_that_turns_has_depth() -> None:
    session = frames((FRONT, turned(4)), (LEFT, turned(33)), (RIGHT, turned(-28)))
    assert not DepthByTurning().examine(session).suspected


def test_a_half_profile_photograph_that_is_tilted_has_none() -> None:
    """It lies between front and turned, and the noise of landmarks moves it to either side."""
    session = frames((FRONT, turned(19)), (LEFT, turned(26)), (FRONT, turned(18)))
    assert DepthByTurning().examine(session).suspected


def test_every_front_frame_must_differ_from_every_turned_one() -> None:
    session = frames((FRONT, turned(0)), (LEFT, turned(30)), (FRONT, turned(19)))
    assert DepthByTurning().examine(session).suspected


def test_a_turn_to_the_wrong_side_is_no_turn() -> None:
    assert DepthByTurning().examine(frames((FRONT, turned(0)), (RIGHT, turned(30)))).suspected


def test_a_face_that_narrows_more_than_its_yaw_explains_is_a_sheet() -> None:
    squeezed = turned(35).landmarks * np.float32([0.6, 1.0])
    session = frames((FRONT, turned(0)), (LEFT, face(squeezed)))
    assert DepthByTurning().examine(session).suspected
    a_little = turned(35).landmarks * np.float32([0.85, 1.0])
    session = frames((FRONT, turned(0)), (LEFT, face(a_little)))
    assert not DepthByTurning().examine(session).suspected


@pytest.mark.parametrize("seed", range(5))
def test_no_affine_map_of_a_photograph_shows_depth(seed: int) -> None:
    generator = np.random.default_rng(seed)
    photograph = turned(10).landmarks

    def shown(pose: Pose) -> tuple[Pose, DetectedFace]:
        linear = np.eye(2) + generator.uniform(-0.4, 0.4, (2, 2))
        return pose, face(photograph @ linear.T)

    session = frames(shown(FRONT), shown(LEFT), shown(FRONT))
    assert DepthByTurning().examine(session).suspected


def test_without_a_turn_there_is_nothing_to_judge() -> None:
    assert not DepthByTurning().examine(frames((FRONT, turned(0)))).suspected


class Scorer:
    """Answers with the confidence of the face, so that a test can say what is scored."""

    def score(self, image: Image, face: DetectedFace) -> float:
        assert image is IMAGE
        return face.confidence


def scored(*scores: tuple[Pose, float]) -> list[Frame]:
    landmarks = turned().landmarks
    box = np.array([0, 0, 8, 8], np.float32)
    return frames(*((pose, DetectedFace(box, landmarks, score)) for pose, score in scores))


def test_the_mean_of_the_front_frames_is_compared() -> None:
    model = PassiveModel("pad-test", Scorer(), 0.5)
    assert not model.examine(scored((FRONT, 0.4), (LEFT, 0.0), (FRONT, 0.6))).suspected
    assert model.examine(scored((FRONT, 0.4), (LEFT, 1.0), (FRONT, 0.5))).suspected
    assert not model.examine(scored((LEFT, 0.0))).suspected
    assert model.examine(scored((FRONT, 0.0))).detector == "pad-test"


def test_one_detector_is_enough_to_refuse_and_none_is_named() -> None:
    detectors = [DepthByTurning(), PassiveModel("pad-test", Scorer(), 0.5)]
    require_bona_fide(detectors, scored((FRONT, 0.9)))
    require_bona_fide([], scored((FRONT, 0.0)))
    with pytest.raises(PresentationAttackSuspected) as refused:
        require_bona_fide(detectors, scored((FRONT, 0.1)))
    assert "pad" not in str(refused.value)
    assert "0." not in str(refused.value)
