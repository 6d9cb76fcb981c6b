"""A picture in a mirror is found by the gallery as before, and by the guard as the same picture."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from sqlalchemy import create_engine

from enrollment.errors import FrameMirrored, FrameReused
from enrollment.examination import Examined, Examiner
from enrollment.face_models import open_models
from enrollment.packs import ModelPack
from enrollment.pose import Pose
from enrollment.replay import CapturedFrame, ReplayGuard
from tests import photographs
from uniqueness.database import prepare


@pytest.fixture(scope="module")
def examiner(opencv_pack: ModelPack) -> Examiner:
    return Examiner(open_models([opencv_pack]))


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[ReplayGuard]:
    engine = prepare(create_engine(f"sqlite:///{tmp_path / 'replay.db'}"))
    yield ReplayGuard(engine, bytes(range(32)))
    engine.dispose()


def people() -> list[Image.Image]:
    return [photographs.astronaut(), *map(photographs.person_of_six, range(6))]


def seen(examiner: Examiner, image: Image.Image, quality: int = 92) -> Examined:
    return examiner.examine([photographs.as_jpeg(image, quality)], [Pose.FRONT], mirrors=True)


def frame_of(examiner: Examiner, image: Image.Image, quality: int = 92) -> CapturedFrame:
    return seen(examiner, image, quality).frames[0]


def reencoded(image: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(photographs.as_jpeg(image, 85)))


def test_a_mirrored_picture_of_what_was_decided_is_refused(
    examiner: Examiner, guard: ReplayGuard
) -> None:
    found = 0
    for person in people():
        guard.remember([frame_of(examiner, person)])
        in_a_mirror = frame_of(examiner, ImageOps.mirror(reencoded(person)))
        try:
            guard.require_fresh([in_a_mirror])
        except FrameMirrored:
            found += 1
    assert found >= 6  # of seven; a re-encoded picture is found as often


def test_a_flip_there_and_back_is_the_picture_itself(
    examiner: Examiner, guard: ReplayGuard
) -> None:
    person = photographs.astronaut()
    guard.remember([frame_of(examiner, ImageOps.mirror(person))])
    with pytest.raises(FrameReused):
        guard.require_fresh([frame_of(examiner, ImageOps.mirror(person), quality=91)])
    with pytest.raises(FrameMirrored):
        guard.require_fresh([frame_of(examiner, person)])


def test_one_picture_does_not_pass_for_both_sides(examiner: Examiner, guard: ReplayGuard) -> None:
    left = photographs.astronaut()
    both = [frame_of(examiner, left), frame_of(examiner, ImageOps.mirror(left))]
    with pytest.raises(FrameMirrored):
        guard.require_fresh(both)


def test_living_people_are_no_mirror_images(examiner: Examiner, guard: ReplayGuard) -> None:
    """Neither of themselves a moment later, nor of one another."""
    for person in people():
        moments = [person, photographs.another_exposure(person)]
        frames = [frame_of(examiner, moment) for moment in moments]
        guard.require_fresh(frames)
        guard.remember(frames)


def test_nobody_looks_in_a_mirror_unasked(examiner: Examiner) -> None:
    (frame,) = examiner.examine([photographs.as_jpeg(photographs.astronaut())], [Pose.FRONT]).frames
    assert frame.mirrored is None
    assert len(frame.pixels) == 1


def test_a_mirrored_face_is_the_same_person(examiner: Examiner) -> None:
    """So that a second search by a flipped face would find nobody else."""
    for person in people():
        plain, mirrored = (
            seen(examiner, image).templates[0].vector for image in (person, ImageOps.mirror(person))
        )
        assert float(plain @ mirrored) > 0.75
