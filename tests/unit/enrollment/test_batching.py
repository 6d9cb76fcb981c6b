import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

from enrollment.batching import BatchingDetector, BatchingEmbedder, MicroBatcher
from enrollment.errors import ServiceBusy
from enrollment.faces import AlignedFace, DetectedFace, FloatArray, Image
from enrollment.side_by_side import SideBySide


class Doubler:
    """Doubles numbers, writes down the batches, and waits for a gate; refuses negative ones."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.began.set()
        self.gate.wait(10)
        self.batches.append(list(items))
        if any(item < 0 for item in items):
            raise ValueError(f"negative in {list(items)}")
        return [2 * item for item in items]


@pytest.fixture
def work() -> Doubler:
    return Doubler()


def test_answers_keep_their_order_and_a_batch_its_bound(work: Doubler) -> None:
    with MicroBatcher(work, max_batch=4, max_wait=0.01) as batcher:
        assert batcher(range(10)) == [2 * n for n in range(10)]
    assert [len(batch) for batch in work.batches] == [4, 4, 2]


def test_callers_share_a_batch(work: Doubler) -> None:
    with (
        MicroBatcher(work, max_batch=8, max_wait=2) as batcher,
        ThreadPoolExecutor(8) as callers,
    ):
        answers = list(callers.map(lambda n: batcher([n]), range(8)))
    assert answers == [[2 * n] for n in range(8)]
    assert [len(batch) for batch in work.batches] == [8]  # full: nobody waited two seconds


def test_a_lone_caller_waits_no_longer_than_the_limit(work: Doubler) -> None:
    with MicroBatcher(work, max_batch=1000, max_wait=0.02) as batcher:
        assert batcher([1]) == [2]


def test_over_the_bound_the_answer_is_busy_at_once(work: Doubler) -> None:
    work.gate.clear()
    with (
        MicroBatcher(work, max_batch=1, max_wait=0, max_queue=2) as batcher,
        ThreadPoolExecutor(3) as callers,
    ):
        first = callers.submit(batcher, [1])
        work.began.wait(10)
        queued = callers.submit(batcher, [2, 3])
        while batcher._waiting < 2:
            pass
        with pytest.raises(ServiceBusy):
            batcher([4])
        work.gate.set()
        assert first.result(10) == [2]
        assert queued.result(10) == [4, 6]


def test_an_error_goes_to_the_caller_it_belongs_to(work: Doubler) -> None:
    work.gate.clear()
    with (
        MicroBatcher(work, max_batch=3, max_wait=5) as batcher,
        ThreadPoolExecutor(3) as callers,
    ):
        futures = [callers.submit(batcher, [n]) for n in (1, -1, 3)]
        work.gate.set()
        assert futures[0].result(10) == [2]
        assert futures[2].result(10) == [6]
        with pytest.raises(ValueError, match="negative"):
            futures[1].result(10)


def test_closing_answers_what_was_accepted_and_takes_nothing_more(work: Doubler) -> None:
    work.gate.clear()
    batcher = MicroBatcher(work, max_batch=1, max_wait=0, workers=2)
    with ThreadPoolExecutor(7) as callers:
        accepted = [callers.submit(batcher, [n]) for n in range(6)]
        while batcher._waiting < 4:
            pass
        closing = callers.submit(batcher.close)
        work.gate.set()
        assert sorted(future.result(10)[0] for future in accepted) == [0, 2, 4, 6, 8, 10]
        closing.result(10)
    with pytest.raises(ServiceBusy, match="closing"):
        batcher([1])
    batcher.close()


def test_many_callers_under_load_all_get_their_own_answer(work: Doubler) -> None:
    with (
        MicroBatcher(work, max_batch=16, max_wait=0.001, max_queue=10_000) as batcher,
        ThreadPoolExecutor(32) as callers,
    ):
        requests = [[n, n + 1, n + 2] for n in range(500)]
        assert list(callers.map(batcher, requests)) == [[2 * n for n in r] for r in requests]


class Means:
    """An embedder and a detector without a model: the mean colour, the size."""

    def embed(self, faces: Sequence[AlignedFace]) -> FloatArray:
        return np.stack([face.pixels.mean(axis=(0, 1)) for face in faces]).astype(np.float32)

    def detect(self, images: Sequence[Image]) -> list[tuple[DetectedFace, ...]]:
        boxes = [np.array([0, 0, *image.shape[1::-1]], np.float32) for image in images]
        return [(DetectedFace(box, np.zeros((5, 2), np.float32), 1.0),) for box in boxes]


@pytest.fixture(
    params=[partial(MicroBatcher, max_batch=2, workers=2), partial(SideBySide, cores=2)]
)
def together(request: pytest.FixtureRequest) -> Any:
    """What makes one function of many requests out of a model's: for a GPU, and for a CPU."""
    return request.param


def test_the_pipeline_cannot_tell_a_batching_embedder_from_the_model(together: Any) -> None:
    generator = np.random.default_rng(0)
    faces = [
        AlignedFace(generator.integers(0, 256, (112, 112, 3)).astype(np.uint8)) for _ in range(5)
    ]
    model = Means()
    with together(lambda some: list(model.embed(some))) as batcher:
        assert np.array_equal(BatchingEmbedder(batcher).embed(faces), model.embed(faces))


def test_the_pipeline_cannot_tell_a_batching_detector_from_the_model(together: Any) -> None:
    images = [np.zeros((30, 40 + number, 3), np.uint8) for number in range(5)]
    with together(Means().detect) as batcher:
        found = BatchingDetector(batcher).detect(images)
    assert [faces[0].box.tolist() for faces in found] == [[0, 0, 40 + n, 30] for n in range(5)]


def test_side_by_side_no_more_work_at_a_time_than_there_are_cores(work: Doubler) -> None:
    at_work, most = 0, 0
    lock, both = threading.Lock(), threading.Barrier(2, timeout=10)

    def count(items: Sequence[int]) -> list[int]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        both.wait()
        answers = work(items)
        with lock:
            at_work -= 1
        return answers

    with SideBySide(count, cores=2) as runner, ThreadPoolExecutor(8) as callers:
        requests = [[n, n + 1, n + 2] for n in range(200)]
        assert list(callers.map(runner, requests)) == [[2 * n for n in r] for r in requests]
        assert runner([]) == []
    assert most == 2
    assert {len(batch) for batch in work.batches} == {1}


@pytest.mark.parametrize("bad", [0, 2])
def test_side_by_side_an_error_is_told_when_the_others_are_done(work: Doubler, bad: int) -> None:
    items = [1, 2, 3]
    items[bad] = -1
    with SideBySide(work, cores=2) as runner:
        with pytest.raises(ValueError, match="negative"):
            runner(items)
        assert len(work.batches) == 3
        assert runner([4]) == [8]
