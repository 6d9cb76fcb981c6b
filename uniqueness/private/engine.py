"""One party's side of the computation: dot products and thresholds on shares.

Three engines, one at each party, make the same calls in the same order; each call is one joint
computation of the three workers, by ABY3 (Mohassel and Rindal, CCS 2018) on SecretFlow SPU. The
worker is a process of another Python environment: SPU needs an older NumPy than we do.

What a call says that it opens, all three parties learn, and nothing else: sums, products and all
other comparisons stay shared. That holds against one party which follows the protocol and keeps
what it sees (semi-honest, honest majority); docs/private-matching.md says what it does not cover.

An engine serves one session. After any fault it is closed, and a session starts anew.
"""

import logging
import queue
import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import numpy as np
import numpy.typing as npt

from uniqueness.errors import EngineFailed, InvalidThresholds
from uniqueness.private import framing
from uniqueness.private.shares import RingArray

BLOCK = 16_384
STEP_TIMEOUT = 30.0
MAX_NEAREST = 256
MIN_BUCKET = 1000
_START_TIMEOUT = 60.0  # importing JAX and SPU, on a machine that does other things too
_ROWS_AT_ONCE = 4096
_WORKER = Path(__file__).with_name("spu_worker.py")
_LOGGED = re.compile(r"\[(?:error|critical)\] \[([\w.]+:\d+)\]")

IdArray = npt.NDArray[np.int64]
BitArray = npt.NDArray[np.bool_]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Links:
    """How the three workers of a session reach each other.

    Args:
        session: the session's name, the same at all three.
        addresses: host and port of each party's worker, by rank.
        certificate: this party's certificate, PEM; without it the links are not encrypted, which
            is for one machine only.
        key: its private key, PEM.
        trusted: the certificates of the three, PEM, and of nobody else.
    """

    session: str
    addresses: tuple[str, str, str]
    certificate: Path | None = None
    key: Path | None = None
    trusted: Path | None = None


class Engine:
    """Start this party's worker and connect it with the two others'.

    Not to be used from two threads at once, but for `close`.

    Args:
        rank: 0, 1 or 2: this party.
        links: the other two, and which session.
        python: interpreter of the engine's environment (`uniqueness.private.environment`).
        timeout: seconds that a worker or a peer may be silent before the session ends.
        threads: cores that the worker may use.
        block: templates that are compared at once; more take more memory, fewer more rounds.

    Raises:
        EngineFailed: the worker does not start, or does not reach the other two.
    """

    def __init__(
        self,
        rank: int,
        links: Links,
        python: Path,
        *,
        timeout: float = STEP_TIMEOUT,
        threads: int = 1,
        block: int = BLOCK,
    ) -> None:
        self._timeout = timeout
        self._sequences: list[int] = []
        self._places: dict[int, int] = {}
        self._probes = 0
        self._answers: queue.Queue[framing.Message | None] = queue.Queue()
        self._home = tempfile.TemporaryDirectory(prefix="personhood-engine-")
        self._process = subprocess.Popen(
            [python, "-I", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self._home.name,
            env={"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": str(threads), "HOME": self._home.name},
            start_new_session=True,  # Ctrl-C is the daemon's to deal with
        )
        self._threads = [
            threading.Thread(target=self._read_answers, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        begin = {
            "rank": rank,
            "session": links.session,
            "addresses": list(links.addresses),
            "timeout_ms": int(timeout * 1000),
            "threads": threads,
            "width": block,
        }
        self._ask(framing.Message("begin", begin), _START_TIMEOUT + timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sequences(self) -> IdArray:
        """(n,) the gallery's sequence numbers in the order added, also of those erased."""
        return np.array(self._sequences, np.int64)

    @property
    def process_id(self) -> int:
        """The worker's process."""
        return self._process.pid

    def add(self, sequences: Sequence[int] | IdArray, shares: RingArray) -> None:
        """Append (n, 2, d) uint64 shares to the gallery; opens nothing, and tells no peer.

        Raises:
            EngineFailed: the worker is gone.
        """
        for start in range(0, len(shares), _ROWS_AT_ONCE):
            self._call("add", shares[start : start + _ROWS_AT_ONCE])
        for sequence in sequences:
            self._places[int(sequence)] = len(self._sequences)
            self._sequences.append(int(sequence))

    def erase(self, sequences: Sequence[int] | IdArray) -> None:
        """Let these templates match nobody from now on; opens nothing, and tells no peer."""
        places = [self._places.pop(int(sequence)) for sequence in sequences]
        if places:
            self._call("erase", np.array(places, np.int64))

    def probe(self, shares: RingArray) -> None:
        """Set the batch's (p, 2, d) uint64 shares, p at least 1; opens nothing."""
        self._call("probe", shares)
        self._probes = len(shares)

    def reached(self, least: int) -> BitArray:
        """Whether any template's dot product with a probe is at least `least`.

        Opens these (p,) bits. Which template it was, or how many, stays shared.

        Raises:
            InvalidThresholds: `least` is not above 0, which erased templates would reach.
            EngineFailed: a worker, a peer or a link is gone, or silent for too long.
        """
        return self._bits("reached", least=_positive(least))

    def among(self, least: int) -> BitArray:
        """Whether two probes' dot product is at least `least`; raises as `reached` does.

        Opens these (p, p) bits.
        """
        return self._bits("among", least=_positive(least))

    def reaching(self, least: int, rows: Sequence[int]) -> BitArray:
        """Which templates reach `least` with these probes; raises as `reached` does.

        Opens these (len(rows), n) bits, columns in the order of `sequences`; for review and
        recovery, which have to know the person.
        """
        return self._bits("reaching", least=_positive(least), rows=[int(row) for row in rows])

    def nearest(self, row: int, sequences: Sequence[int]) -> int:
        """Which of 1 to 256 templates has the highest dot product with a probe; its number.

        Opens this, the first in `sequences` of equals.

        Raises:
            EngineFailed: as `reached`.
        """
        if not 1 <= len(sequences) <= MAX_NEAREST:
            raise ValueError(f"1 to {MAX_NEAREST} templates can be compared, not {len(sequences)}")
        places = np.array([self._places[sequence] for sequence in sequences], np.int64)
        position: int = self._call("nearest", places, row=int(row)).values["result"]
        return sequences[position]

    def histogram(self, edges: Sequence[int], minimum: int = MIN_BUCKET) -> IdArray:
        """Count the dot products of all probes with all templates that are not erased.

        Opens the (len(edges) - 1,) counts of products in [edge, next edge); a count below
        `minimum` is made 0 before it is opened.

        Raises:
            InvalidThresholds: edges that do not rise, or fewer than two.
            EngineFailed: as `reached`.
        """
        if len(edges) < 2 or any(b <= a for a, b in pairwise(edges)):
            raise InvalidThresholds("a histogram needs two edges or more, each above the last")
        places = np.array(sorted(self._places.values()), np.int64)
        (counts,) = self._call(
            "histogram", places, edges=[int(edge) for edge in edges], minimum=int(minimum)
        ).arrays
        return counts

    def close(self) -> None:
        """End the worker at once; the other two end by their own timeouts or calls."""
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._home.cleanup()

    def _bits(self, name: str, **values: Any) -> BitArray:
        (found,) = self._call(name, **values).arrays
        return found

    def _call(self, name: str, *arrays: npt.NDArray[Any], **values: Any) -> framing.Message:
        # A request's first computation of a shape is compiled too.
        return self._ask(framing.Message(name, values, arrays), 2 * self._timeout)

    def _ask(self, request: framing.Message, patience: float) -> framing.Message:
        """Send a request; the worker may be silent for `patience` seconds at a time."""
        pipe = cast(BinaryIO, self._process.stdin)
        watchdog = threading.Timer(patience, self._process.kill)
        watchdog.start()
        try:
            framing.write(pipe, request)
        except (OSError, ValueError):
            raise self._failure("its process has ended") from None
        finally:
            watchdog.cancel()
        while True:
            try:
                answer = self._answers.get(timeout=patience)
            except queue.Empty:
                raise self._failure("it is silent") from None
            if answer is None:
                raise self._failure("its process has ended")
            if answer.name == "failed":
                raise self._failure(str(answer.values["kind"]))
            if answer.name == "done":
                return answer

    def _failure(self, reason: str) -> EngineFailed:
        self.close()
        return EngineFailed(
            f"the matching engine stopped ({reason}), or one of the other two parties' did: the "
            "session is over and nothing was decided; open a new one"
        )

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


def _positive(least: int) -> int:
    if least <= 0:
        raise InvalidThresholds("a threshold on shares must be above 0, as an empty place has 0")
    return int(least)
