"""Dynamic micro-batching: what many requests ask of one model at once goes through it together.

A batch leaves when it is full or when its first item has waited a few milliseconds. The queue is
bounded: what does not fit is refused at once and can be sent again, and nothing that was accepted
is left without an answer, not even when the service closes.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, Self, TypeVar

import numpy as np

from enrollment.errors import ServiceBusy
from enrollment.faces import AlignedFace, DetectedFace, FloatArray, Image

MAX_WAIT: Final = 0.004  # seconds that a batch waits for company
MAX_QUEUE: Final = 64  # items

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class MicroBatcher(Generic[_Item, _Answer]):
    """Runs a function of many items for callers that have few; safe to call from many threads.

    Args:
        work: answers a batch, item by item; called from the workers' threads only.
        max_batch: items at most in one call of `work`.
        max_wait: seconds that the first item of a batch waits for others.
        max_queue: items at most that wait for a worker.
        workers: threads, each with a batch of its own.
    """

    def __init__(
        self,
        work: Callable[[Sequence[_Item]], Sequence[_Answer]],
        *,
        max_batch: int,
        max_wait: float = MAX_WAIT,
        max_queue: int = MAX_QUEUE,
        workers: int = 1,
    ) -> None:
        self._work = work
        self._max_batch = max_batch
        self._max_wait = max_wait
        self._max_queue = max_queue
        self._queue: queue.SimpleQueue[tuple[_Item, Future[_Answer]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0  # items in the queue
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"micro-batch-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __call__(self, items: Sequence[_Item]) -> list[_Answer]:
        """Answer items in their order, as soon as a worker can.

        Raises:
            ServiceBusy: they do not all fit into the queue, or the batcher is closed.
            Exception: what `work` raised for one of these items, and for no other caller's.
        """
        futures: list[Future[_Answer]] = [Future() for _ in items]
        with self._lock:
            if self._closed:
                raise ServiceBusy("The service is closing. Send the same request again.")
            if self._waiting + len(items) > self._max_queue:
                raise ServiceBusy("Too many people at once. Send the same request again.")
            self._waiting += len(items)
            for pair in zip(items, futures, strict=True):
                self._queue.put(pair)
        return [future.result() for future in futures]

    def close(self) -> None:
        """Answer what is queued, take nothing more, and end the workers."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        running = True
        while running:
            batch, running = self._collect()
            if batch:
                self._answer(batch)

    def _collect(self) -> tuple[list[tuple[_Item, Future[_Answer]]], bool]:
        """Wait for a first item, then for company; the flag says whether to go on after it."""
        batch: list[tuple[_Item, Future[_Answer]]] = []
        deadline: float | None = None
        while len(batch) < self._max_batch:
            try:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                entry = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if entry is None:
                return batch, False
            batch.append(entry)
            with self._lock:
                self._waiting -= 1
            if deadline is None:
                deadline = time.monotonic() + self._max_wait
        return batch, True

    def _answer(self, batch: Sequence[tuple[_Item, Future[_Answer]]]) -> None:
        try:
            answers = self._work([item for item, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                future.set_result(answer)
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
            else:  # one of them is at fault: each is tried alone, so that only its caller hears it
                for entry in batch:
                    if not entry[1].done():
                        self._answer([entry])


class BatchingEmbedder:
    """A `FaceEmbedder` whose faces go through a `MicroBatcher` or `SideBySide` of the model."""

    def __init__(self, batcher: Callable[[Sequence[AlignedFace]], list[FloatArray]]) -> None:
        self._batcher = batcher

    def embed(self, faces: Sequence[AlignedFace]) -> FloatArray:
        """Embed n faces as (n, d) float32 rows of unit norm.

        Raises:
            ServiceBusy: too many faces wait.
        """
        return np.stack(self._batcher(faces))


class BatchingDetector:
    """A `FaceDetector` whose photographs go through either, of its model."""

    def __init__(
        self, batcher: Callable[[Sequence[Image]], list[tuple[DetectedFace, ...]]]
    ) -> None:
        self._batcher = batcher

    def detect(self, images: Sequence[Image]) -> list[tuple[DetectedFace, ...]]:
        """Find every face in each of some (h, w, 3) uint8 BGR images, the widest first.

        Raises:
            ServiceBusy: too many photographs wait.
        """
        return self._batcher(images)
