"""One party's side of the computation: dot products and thresholds on shares.

Three engines, one at each party, make the same calls in the same order; each call is one joint
computation of the three workers, by ABY3 (Mohassel and Rindal, CCS 2018) on SecretFlow SPU. The
worker is a process of another Python environment: SPU needs an older NumPy than we do.

What a call says that it opens, all three parties learn, and nothing else: sums, products and all
other comparisons stay shared. That holds against one party which follows the protocol and keeps
what it sees (semi-honest, honest majority); docs/private-matching.md says what it does not cover.

An engine serves one session. After any fault it is closed, and a session starts anew.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from uniqueness.errors import EngineFailed, InvalidThresholds
from uniqueness.private import framing
from uniqueness.private.links import Links, Tunnel
from uniqueness.private.shares import PARTIES, RingArray
from uniqueness.private.worker_process import WorkerProcess

__all__ = ["Engine", "Links"]

BLOCK = 16_384
STEP_TIMEOUT = 30.0
MAX_NEAREST = 256
MAX_PRODUCT = 1 << 24  # of products and thresholds; differences of two stay below 2^25
MIN_BUCKET = 1000
START_TIMEOUT = 60.0  # importing JAX and SPU takes seconds, and others may be late
_ROWS_AT_ONCE = 4096

IdArray = npt.NDArray[np.int64]
BitArray = npt.NDArray[np.bool_]


class Engine:
    """Start this party's worker and connect it with the two others'.

    Not to be used from two threads at once, but for `close`.

    Args:
        rank: 0, 1 or 2: this party.
        links: the other two, and which session.
        python: interpreter of the engine's environment (`uniqueness.private.environment`).
        timeout: seconds that a worker or a peer may be silent before the session ends.
        start_timeout: seconds until the three have met.
        threads: cores that the worker may use.
        block: templates that are compared at once; more take more memory, fewer more rounds.
        started: given this engine before it waits for the other two, to close it meanwhile.

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
        start_timeout: float = START_TIMEOUT,
        threads: int = 1,
        block: int = BLOCK,
        started: Callable[[Self], None] = lambda _: None,
    ) -> None:
        self._timeout = timeout
        self._sequences: list[int] = []
        self._places: dict[int, int] = {}
        self._is_open = False
        self._home = tempfile.TemporaryDirectory(prefix="personhood-engine-")
        home = Path(self._home.name)
        with ExitStack() as opened:
            opened.callback(self._home.cleanup)
            self._worker = WorkerProcess(python, home, threads)
            opened.callback(self._worker.close)
            self._tunnel = _open_tunnel(rank, links, home, self._link_ended)
            opened.callback(self._tunnel.close)
            self._opened = opened
            started(self)
            begin = {
                "rank": rank,
                "session": links.session,
                "addresses": [f"unix:{home}/{party}.sock" for party in range(PARTIES)],
                "timeout_ms": int(timeout * 1000),
                "threads": threads,
                "width": block,
            }
            self._worker.ask(framing.Message("begin", begin), start_timeout)
            self._is_open = True
            self._opened = opened.pop_all()

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
        return self._worker.process_id

    @property
    def sent_bytes(self) -> int:
        """What the worker has sent to the other two so far, without TLS."""
        return self._tunnel.carried

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
        if max(map(abs, edges)) > MAX_PRODUCT:
            raise InvalidThresholds(f"edges are from -{MAX_PRODUCT} to {MAX_PRODUCT}")
        places = np.array(sorted(self._places.values()), np.int64)
        (counts,) = self._call(
            "histogram", places, edges=[int(edge) for edge in edges], minimum=int(minimum)
        ).arrays
        return counts

    def close(self) -> None:
        """End the worker and its links, from whatever thread; the other two notice at once."""
        self._opened.close()

    def _bits(self, name: str, **values: Any) -> BitArray:
        (found,) = self._call(name, **values).arrays
        return found

    def _call(self, name: str, *arrays: npt.NDArray[Any], **values: Any) -> framing.Message:
        # Twice, so that the peers' links time out first, and for programs to be compiled.
        return self._worker.ask(framing.Message(name, values, arrays), 2 * self._timeout)

    def _link_ended(self) -> None:
        if self._is_open:  # before that the worker tries again
            self._worker.end("another party went away")


def _open_tunnel(rank: int, links: Links, home: Path, on_lost: Callable[[], None]) -> Tunnel:
    try:
        return Tunnel(rank, links, home, on_lost)
    except (OSError, ValueError) as error:
        raise EngineFailed(
            f"the links at {links.addresses[rank]} cannot be opened ({error}): check the address "
            "and the keys"
        ) from error


def _positive(least: int) -> int:
    if not 0 < least <= MAX_PRODUCT:
        raise InvalidThresholds(
            f"a threshold is above 0, which is an empty place's product, and up to {MAX_PRODUCT}"
        )
    return int(least)
