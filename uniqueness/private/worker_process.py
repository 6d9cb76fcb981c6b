"""The engine's worker as its daemon sees it: requests, answers, and an end within a given time."""

import logging
import queue
import re
import subprocess
import threading
from pathlib import Path
from typing import BinaryIO, cast

from uniqueness.errors import EngineFailed
from uniqueness.private import framing

_WORKER = Path(__file__).with_name("spu_worker.py")
_LOGGED = re.compile(r"\[(?:error|critical)\] \[([\w.]+:\d+)\]")

_log = logging.getLogger(__name__)


class WorkerProcess:
    """Start a worker; it ends with `close`, with this process, or by a fault of its own.

    Args:
        python: of the engine's environment.
        home: a directory of its own.
        threads: cores that it may use.

    Raises:
        EngineFailed: it cannot be started.
    """

    def __init__(self, python: Path, home: Path, threads: int) -> None:
        self._answers: queue.Queue[framing.Message | None] = queue.Queue()
        self._ended: str | None = None
        try:
            self._process = subprocess.Popen(
                [python, "-I", "-B", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=home,
                env={"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": str(threads), "HOME": str(home)},
                start_new_session=True,  # Ctrl-C is the daemon's to deal with
            )
        except OSError as error:
            raise _failure(f"{python} cannot be started") from error
        self._threads = [
            threading.Thread(target=self._read_answers, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def process_id(self) -> int:
        """Of the worker."""
        return self._process.pid

    def end(self, why: str) -> None:
        """Kill it, from whatever thread; a request under way fails."""
        self._ended = self._ended or why
        self._process.kill()

    def close(self) -> None:
        """Kill it and wait until it is gone."""
        self.end("it was closed")
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def ask(self, request: framing.Message, patience: float) -> framing.Message:
        """Send a request and wait for its answer.

        Args:
            request: for `spu_worker.Worker`.
            patience: seconds that it may be silent at a time; it tells when it gets on.

        Raises:
            EngineFailed: it failed, ended or fell silent; it is dead by then.
        """
        silent = threading.Timer(patience, self.end, ["it was silent"])
        silent.start()
        try:
            framing.write(cast(BinaryIO, self._process.stdin), request)
        except (OSError, ValueError):
            raise self._failed("its process ended") from None
        finally:
            silent.cancel()
        while True:
            try:
                answer = self._answers.get(timeout=patience)
            except queue.Empty:
                raise self._failed("it was silent") from None
            if answer is None:
                raise self._failed("its process ended")
            if answer.name == "failed":
                raise self._failed(str(answer.values["kind"]))
            if answer.name == "done":
                return answer

    def _failed(self, reason: str) -> EngineFailed:
        reason = self._ended or reason
        self.end(reason)
        return _failure(reason)

    def _read_answers(self) -> None:
        pipe = cast(BinaryIO, self._process.stdout)
        try:
            while True:
                self._answers.put(framing.read(pipe))
        except (framing.Truncated, OSError, ValueError):
            self._answers.put(None)

    def _read_log(self) -> None:
        # Of what SPU reports only where it did: its messages may tell addresses and values.
        for line in self._process.stderr or ():
            if found := _LOGGED.search(line.decode(errors="replace")):
                _log.warning("the matching engine reports a fault at %s", found[1])


def _failure(reason: str) -> EngineFailed:
    return EngineFailed(
        f"the matching engine stopped: {reason}; the session is over, nothing was lost, and a new "
        "one may be opened"
    )
