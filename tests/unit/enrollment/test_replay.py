import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine, create_engine, text

from enrollment.errors import EnrollmentStoreUnavailable, FrameReused
from enrollment.faces import AlignedFace
from enrollment.replay import LIFETIME, CapturedFrame, ReplayGuard, perceptual_hash
from tests import photographs
from uniqueness.database import prepare

KEY = bytes(range(32))


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = prepare(create_engine(f"sqlite:///{tmp_path / 'replay.db'}"))
    yield made
    made.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(engine: Engine, clock: Clock) -> ReplayGuard:
    return ReplayGuard(engine, KEY, clock=clock)


def frame(number: int, quality: int = 92) -> CapturedFrame:
    """A person of six, cut out where the face is, as this JPEG quality shows them."""
    face = photographs.person_of_six(number).crop((100, 80, 480, 460)).resize((112, 112))
    content = photographs.as_jpeg(face, quality)
    pixels = np.asarray(Image.open(io.BytesIO(content)))[:, :, ::-1]
    return CapturedFrame(content, AlignedFace(np.ascontiguousarray(pixels)))


def test_new_pictures_pass_and_the_same_ones_do_not(guard: ReplayGuard) -> None:
    guard.require_fresh([frame(0), frame(1)])
    guard.remember([frame(0), frame(1)])
    guard.require_fresh([frame(2), frame(3)])
    with pytest.raises(FrameReused):
        guard.require_fresh([frame(2), frame(1)])


def test_a_reencoded_picture_is_the_same_picture(guard: ReplayGuard) -> None:
    guard.remember([frame(0)])
    assert frame(0, quality=60).content != frame(0).content
    with pytest.raises(FrameReused):
        guard.require_fresh([frame(0, quality=60)])


def test_one_file_twice_in_a_request_is_refused(guard: ReplayGuard) -> None:
    with pytest.raises(FrameReused):
        guard.require_fresh([frame(0), frame(0)])


def test_whoever_is_asked_again_may_look_the_same(guard: ReplayGuard) -> None:
    guard.remember([frame(0)], again_soon=True)
    guard.require_fresh([frame(0, quality=60)])
    with pytest.raises(FrameReused):
        guard.require_fresh([frame(0)])


def test_a_day_later_it_is_forgotten_and_gone(
    guard: ReplayGuard, clock: Clock, engine: Engine
) -> None:
    guard.remember([frame(0)])
    clock.now += LIFETIME
    guard.require_fresh([frame(0)])
    guard.remember([frame(1)])
    with engine.connect() as connection:
        captures = connection.scalar(
            text("select count(distinct capture) from recent_capture_tags")
        )
    assert captures == 1


def test_another_service_with_the_key_knows_it_one_without_does_not(
    guard: ReplayGuard, engine: Engine, clock: Clock
) -> None:
    guard.remember([frame(0)])
    with pytest.raises(FrameReused):
        ReplayGuard(engine, KEY, clock=clock).require_fresh([frame(0)])
    ReplayGuard(engine, KEY[::-1], clock=clock).require_fresh([frame(0)])


def test_the_table_holds_neither_file_nor_hash(guard: ReplayGuard, engine: Engine) -> None:
    guard.remember([frame(0)])
    with engine.connect() as connection:
        tags = set(connection.scalars(text("select tag from recent_capture_tags")))
    assert len(tags) == 9
    assert perceptual_hash(frame(0).face).to_bytes(8, "big").hex() not in "".join(tags)
    assert all(len(tag) == 32 for tag in tags)


def test_the_hash_moves_little_with_encoding_and_much_with_the_person() -> None:
    def distance(one: CapturedFrame, other: CapturedFrame) -> int:
        return (perceptual_hash(one.face) ^ perceptual_hash(other.face)).bit_count()

    assert distance(frame(0), frame(0, quality=60)) <= 4
    assert all(distance(frame(0), frame(other)) >= 12 for other in range(1, 6))


def test_a_broken_database_says_so(tmp_path: Path) -> None:
    with pytest.raises(EnrollmentStoreUnavailable):
        ReplayGuard(create_engine(f"sqlite:///{tmp_path / 'no' / 'such.db'}"), KEY)
