"""A process beside the service, for what must not be in it: the chain's libraries, long work.

py_ecc, which web3 imports, raises the recursion limit of whatever process it is in; and no page may
take the processor from people who wait at a kiosk. It starts when it is first asked for something.
"""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SideProcess:
    """Calls functions one after the other in a process of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a module's function called there; a process that died is started again."""
        with self._lock:
            try:
                return self._started().submit(work, *args, **kwargs)
            except BrokenProcessPool:
                self._pool = None
                return self._started().submit(work, *args, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        return self._pool
