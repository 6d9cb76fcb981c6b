import itertools
import math
import random

import numpy as np
import pytest

from enrollment.errors import NoFace, PoseNotShown, PosesMirrored
from enrollment.faces import DetectedFace
from enrollment.pose import (
    CHALLENGES,
    NOSE_HEIGHT,
    NOSE_LEVEL,
    Pose,
    draw_poses,
    head_pose,
    require_poses,
    shows,
)

# A head in eye distances, x to the right of the picture, y down, z to the camera; the eyes and the
# corners of the mouth in one plane.
HEAD = np.array(
    [
        [-0.5, -0.5, 0.0],
        [0.5, -0.5, 0.0],
        [0.0, -0.5 + NOSE_LEVEL, NOSE_HEIGHT],
        [-0.4, 0.5, 0.0],
        [0.4, 0.5, 0.0],
    ]
)


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> DetectedFace:
    """The head, turned by degrees and seen from far away."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = [[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]]
    about_x = [[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]]
    about_z = [[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]]
    points = HEAD @ np.array(about_y).T @ np.array(about_x).T @ np.array(about_z).T
    return face(points[:, :2] * 60 + 200)


def face(landmarks: np.ndarray) -> DetectedFace:
    box = np.concatenate([landmarks.min(axis=0) - 30, landmarks.max(axis=0) + 30])
    return DetectedFace(box.astype(np.float32), landmarks.astype(np.float32), 0.99)


@pytest.mark.parametrize("angle", [-45, -20, 0, 10, 45])
def test_one_angle_at_a_time_is_read_exactly(angle: float) -> None:
    assert head_pose(turned(yaw=angle)).yaw == pytest.approx(angle, abs=1e-3)
    assert head_pose(turned(pitch=angle)).pitch == pytest.approx(angle, abs=1e-3)
    assert head_pose(turned(roll=angle)).roll == pytest.approx(angle, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_a_flat_photograph_keeps_its_yaw_and_pitch_under_every_affine_map(seed: int) -> None:
    generator = np.random.default_rng(seed)
    photograph = turned(yaw=8, pitch=-5)
    linear = np.eye(2) + generator.uniform(-0.45, 0.45, (2, 2))
    moved = face(photograph.landmarks @ linear.T + generator.uniform(-50, 50, 2))
    assert head_pose(moved).yaw == pytest.approx(head_pose(photograph).yaw, abs=0.01)
    assert head_pose(moved).pitch == pytest.approx(head_pose(photograph).pitch, abs=0.01)


def test_left_is_the_persons_own_left() -> None:
    """Whoever turns to their left shows us a nose that moves to the right of the picture."""
    nose_to_the_right = turned(yaw=35)
    assert nose_to_the_right.landmarks[2, 0] > turned().landmarks[2, 0]
    assert shows(nose_to_the_right, Pose.LEFT)
    assert not shows(nose_to_the_right, Pose.RIGHT)
    assert shows(turned(yaw=-35), Pose.RIGHT)


def test_between_front_and_turned_it_is_neither() -> None:
    assert shows(turned(yaw=19), Pose.FRONT)
    assert not any(shows(turned(yaw=22.5), pose) for pose in Pose)
    assert shows(turned(yaw=26), Pose.LEFT)
    assert not shows(turned(yaw=70), Pose.LEFT)


def test_landmarks_on_a_line_are_no_face() -> None:
    with pytest.raises(NoFace):
        head_pose(face(np.stack([np.arange(5.0), np.arange(5.0)], axis=1)))
    with pytest.raises(NoFace):
        head_pose(face(np.zeros((5, 2))))


def test_frames_must_show_the_challenge_in_its_order() -> None:
    frames = [turned(), turned(yaw=35), turned(yaw=-35)]
    require_poses(frames, [Pose.FRONT, Pose.LEFT, Pose.RIGHT])
    with pytest.raises(PoseNotShown, match="Photograph 2: turn your head a little to your right"):
        require_poses(frames, [Pose.FRONT, Pose.RIGHT, Pose.FRONT])
    with pytest.raises(PoseNotShown, match="3 frames"):
        require_poses(frames[:2], [Pose.FRONT, Pose.LEFT, Pose.RIGHT])


@pytest.mark.parametrize("poses", CHALLENGES)
def test_frames_that_show_every_pose_as_in_a_mirror_are_told_apart(poses: tuple[Pose, ...]) -> None:
    yaw = {Pose.FRONT: 3, Pose.LEFT: 35, Pose.RIGHT: -35}
    require_poses([turned(yaw=yaw[pose]) for pose in poses], poses)
    with pytest.raises(PosesMirrored):
        require_poses([turned(yaw=-yaw[pose]) for pose in poses], poses)
    one_front = [turned(yaw=-yaw[pose]) for pose in poses]
    one_front[1] = turned()
    with pytest.raises(PoseNotShown):
        require_poses(one_front, poses)


def test_a_challenge_starts_in_front_and_turns() -> None:
    drawn = {draw_poses(random.Random(seed)) for seed in range(100)}
    assert drawn == set(CHALLENGES)
    assert draw_poses() in drawn
    for poses in drawn:
        assert poses[0] is Pose.FRONT
        assert {Pose.LEFT, Pose.RIGHT} & set(poses)
        assert all(a is not b for a, b in itertools.pairwise(poses))
