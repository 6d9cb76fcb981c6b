"""What many requests ask of one model on a CPU: one item a core, and the caller's thread the first.

To hand an item to another thread and back takes two turns of the interpreter's lock, for which a
busy service waits longer than for the network. So a caller works itself, and only what more it
brings goes to other threads.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import BoundedSemaphore
from typing import Generic, Self, TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class SideBySide(Generic[_Item, _Answer]):
    """Runs a function of some items for each item alone; safe to call from many threads.

    Args:
        work: answers items.
        cores: calls of `work` at a time.
    """

    def __init__(self, work: Callable[[Sequence[_Item]], Sequence[_Answer]], cores: int) -> None:
        self._work = work
        self._free = BoundedSemaphore(cores)
        self._others = ThreadPoolExecutor(cores, "side-by-side")

    def __call__(self, items: Sequence[_Item]) -> list[_Answer]:
        """Answer items in their order.

        Raises:
            Exception: what `work` raised for one of them; by then it is done with the others.
        """
        if not items:
            return []
        first, *further = items
        others = [self._others.submit(self._answer, item) for item in further]
        try:
            answer = self._answer(first)
        finally:
            wait(others)
        return [answer, *(other.result() for other in others)]

    def close(self) -> None:
        """End the threads, after what they have begun."""
        self._others.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, item: _Item) -> _Answer:
        with self._free:
            (answer,) = self._work([item])
        return answer
