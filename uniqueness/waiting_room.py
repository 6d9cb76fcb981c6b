"""One thread at a time owns a gallery: FAISS does not allow changing and searching at once.

Who comes while nobody does owns it for one request, in their own thread, and is spared two
hand-overs. All others put their requests in a queue, and the owner thread takes what waits as a
batch.
"""

import threading
from queue import SimpleQueue
from typing import NamedTuple

from uniqueness.errors import GalleryClosed
from uniqueness.requests import Answer, Decider, Request
from uniqueness.status import PopulationWatch


class _Waiting(NamedTuple):
    request: Request
    answer: "SimpleQueue[Answer | Exception]"  # takes one; half the code of a `Future`


class WaitingRoom:
    """Gives requests to a decider, one batch after the other; safe to ask from many threads.

    Args:
        decider: used by one thread at a time, and closed at the end.
        watch: told the gallery's size after each batch.
        max_batch: most requests decided together.
    """

    def __init__(self, decider: Decider, watch: PopulationWatch, max_batch: int) -> None:
        self._decider = decider
        self._watch = watch
        self._max_batch = max_batch
        self._owned = threading.Lock()  # held by whoever decides
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._lock = threading.Lock()  # of what follows; nothing is queued behind the end
        self._closed = False
        self._waiting = 0  # requests that no batch has taken; nobody goes before them
        self._thread = threading.Thread(target=self._run, name="gallery-owner", daemon=True)

    def start(self) -> None:
        """Begin to take what waits."""
        self._watch.look(self._decider.size)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether answers can be had."""
        return not self._closed and self._thread.is_alive()

    def ask(self, request: Request) -> Answer:
        """Have a request decided at once, or queue it while another is, and wait.

        Raises:
            GalleryClosed: nothing is decided any more.
            UniquenessError: the answer, or what the decider raised.
        """
        answer: Answer | Exception
        if not self._waiting and self._owned.acquire(blocking=False):
            try:
                self._require_open()
                [answer] = self._decide([request])
            finally:
                self._owned.release()
        else:
            waiting = _Waiting(request, SimpleQueue())
            with self._lock:
                self._require_open()
                self._queue.put(waiting)
                self._waiting += 1
            answer = waiting.answer.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Decide what is waiting, then close the decider."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        """Take batches until closed."""
        while first := self._queue.get():
            with self._owned:
                batch = self._batch(first)
                try:
                    answers = self._decide([waiting.request for waiting in batch])
                except Exception as error:  # its callers must be told, whatever it was
                    for waiting in batch:
                        waiting.answer.put(error)
                else:
                    for waiting, answer in zip(batch, answers, strict=True):
                        waiting.answer.put(answer)
        with self._owned:
            self._decider.close()

    def _batch(self, first: _Waiting) -> list[_Waiting]:
        """Take all that wait with a first one."""
        batch = [first]
        while len(batch) < self._max_batch and not self._queue.empty():
            waiting = self._queue.get()
            if waiting is None:
                self._queue.put(None)  # close comes after this batch
                break
            batch.append(waiting)
        with self._lock:
            self._waiting -= len(batch)
        return batch

    def _decide(self, requests: list[Request]) -> list[Answer]:
        answers = self._decider.process(requests)
        self._watch.look(self._decider.size)
        return answers

    def _require_open(self) -> None:
        if self._closed:
            raise GalleryClosed("the gallery is closed; send the request again later")
