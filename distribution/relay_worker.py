"""The thread of a relayer that sends its batches."""

from threading import Event, Thread
from traceback import extract_tb
from types import TracebackType
from typing import Final, Self

import structlog

from distribution.errors import DistributionError
from distribution.relayer import Relayer

EVERY: Final = 1.0  # seconds between looks at the chain
PRESSED: Final = 0.05
AFTER_FAILURE: Final = 5.0
_log = structlog.get_logger("distribution.relayer")


class RelayWorker:
    """Steps a relayer until the `with` block ends; what fails is tried again."""

    def __init__(self, relayer: Relayer, every: float = EVERY) -> None:
        self._relayer = relayer
        self._every = every
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="relayer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            pause = self._every
            try:
                if self._relayer.step():
                    pause = 0.0  # more may be due already
                elif self._relayer.is_pressed:
                    pause = PRESSED
            except DistributionError as failed:
                _log.error(failed.code, detail=str(failed))
                pause = AFTER_FAILURE
            except Exception as fault:
                # A claim that was taken must not wait for a person to restart the process.
                frame = extract_tb(fault.__traceback__)[-1]
                where = f"{frame.filename}:{frame.lineno}"
                _log.error("fault", kind=type(fault).__name__, where=where)
                pause = AFTER_FAILURE
