"""What a request does on the way, but not every one."""

import threading
import time
from collections.abc import Callable

_EVERY = 60.0  # seconds


class EveryMinute:
    """Tells one of all threads at a time that a minute is over; the first who asks, at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due_at = clock()

    def is_due(self) -> bool:
        """Whether the caller is the one to do it now."""
        now = self._clock()
        with self._lock:
            if now < self._due_at:
                return False
            self._due_at = now + _EVERY
            return True
