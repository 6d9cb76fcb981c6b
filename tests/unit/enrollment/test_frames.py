import numpy as np
import pytest

from enrollment.errors import FramesInconsistent
from enrollment.frames import merge, require_one_person
from enrollment.pose import Pose

FRONT, LEFT, RIGHT = Pose.FRONT, Pose.LEFT, Pose.RIGHT


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def person() -> np.ndarray:
    """Three frames of one person: a direction and a little noise."""
    generator = np.random.default_rng(4)
    return unit(generator.normal(size=128) + 0.5 * generator.normal(size=(3, 128)))


def test_one_person_passes_and_a_change_is_refused(person: np.ndarray) -> None:
    require_one_person(person, 0.35)
    require_one_person(person[:1], 0.35)
    stranger = unit(np.random.default_rng(5).normal(size=128))
    for place in range(3):
        changed = person.copy()
        changed[place] = stranger
        with pytest.raises(FramesInconsistent, match="one person"):
            require_one_person(changed, 0.35)


def test_the_template_is_the_weighted_mean_of_the_front_frames(person: np.ndarray) -> None:
    template = merge(person, [1.0, 1.0, 3.0], [FRONT, LEFT, FRONT])
    assert template == pytest.approx(unit(person[0] + 3 * person[2]))
    assert template.dtype == np.float32
    assert float(np.linalg.norm(template)) == pytest.approx(1)


def test_a_turned_frame_leaves_no_trace_in_the_template(person: np.ndarray) -> None:
    turned = person.copy()
    turned[1] = -turned[1]
    poses = [FRONT, RIGHT, FRONT]
    assert np.array_equal(merge(person, [1, 1, 1], poses), merge(turned, [1, 1, 1], poses))


def test_a_single_frame_is_its_own_template(person: np.ndarray) -> None:
    assert merge(person[:1], [0.2]) == pytest.approx(person[0])


def test_a_mean_is_nearer_to_the_person_than_the_frames_are() -> None:
    generator = np.random.default_rng(6)
    truth = unit(generator.normal(size=128))
    frames = unit(truth + 0.08 * generator.normal(size=(2, 128)))
    assert merge(frames, [1, 1]) @ truth > (frames @ truth).max()


def test_frames_that_cancel_or_are_missing_make_no_template(person: np.ndarray) -> None:
    with pytest.raises(FramesInconsistent):
        merge(np.stack([person[0], -person[0]]), [1, 1])
    with pytest.raises(ValueError, match="looks at the camera"):
        merge(person, [1, 1, 1], [LEFT, RIGHT, LEFT])
    with pytest.raises(ValueError, match="positive"):
        merge(person, [1, 0, 1])
