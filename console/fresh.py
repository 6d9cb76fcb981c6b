"""What several pages ask for, read once in a while."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from console.operators import Clock

T = TypeVar("T")


class Fresh(Generic[T]):
    """Reads something at most once in a while, however many pages ask; thread-safe."""

    def __init__(self, read: Callable[[], T], seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._value: tuple[float, T] | None = None

    def get(self) -> T:
        """Give what was read lately, or read it now."""
        with self._lock:
            now = self._clock()
            if self._value is None or not 0 <= now - self._value[0] <= self._seconds:
                self._value = (now, self._read())
            return self._value[1]
