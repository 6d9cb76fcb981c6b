"""The computation of three parties in the clear, for tests: it sees the shares of all of them.

Its answers are those of whole numbers, so the engine that sees nothing must give the same. The
three meet at each call, and fail together, as the real ones do.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from uniqueness.errors import EngineFailed
from uniqueness.private.party_entries import SequenceArray
from uniqueness.private.party_session import StartEngine
from uniqueness.private.protocol import BoolArray, CountArray
from uniqueness.private.shares import PARTIES, RingArray

TIMEOUT = 20.0  # seconds; a busy machine must not reach it


class Meeting:
    """Where three engines of a session put down what they have, and take what the others have."""

    def __init__(self, timeout: float) -> None:
        self._barrier = threading.Barrier(PARTIES, timeout=timeout)
        self._brought: list[Any] = [None] * PARTIES

    def exchange(self, rank: int, brought: Any) -> list[Any]:
        try:
            self._barrier.wait()
            self._brought[rank] = brought
            self._barrier.wait()
            found = list(self._brought)
            self._barrier.wait()
        except threading.BrokenBarrierError:
            raise EngineFailed("a peer did not make the same step") from None
        return found

    def break_off(self) -> None:
        self._barrier.abort()


class PlainEngines:
    """Engines of all parties and sessions of a test."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._meetings: dict[str, Meeting] = {}

    def starter(self, rank: int) -> StartEngine:
        def start(session: str, started: Callable[[PlainEngine], None]) -> PlainEngine:
            with self._lock:
                meeting = self._meetings.setdefault(session, Meeting(self._timeout))
            engine = PlainEngine(rank, meeting)
            started(engine)
            try:
                engine.meet("start")
            except EngineFailed:
                engine.close()
                raise
            return engine

        return start


class PlainEngine:
    """See `uniqueness.private.party_session.MatchingEngine`."""

    def __init__(self, rank: int, meeting: Meeting) -> None:
        self._rank = rank
        self._meeting = meeting
        self._sequences: list[int] = []
        self._gallery: list[np.ndarray] = []  # (d,) int64; zeros when erased
        self._probes = np.empty((0, 0), np.int64)

    def meet(self, *call: object) -> None:
        calls = self._meeting.exchange(self._rank, call)
        if len(set(calls)) != 1:
            raise EngineFailed("the parties ran different programs")

    def add(self, sequences: SequenceArray, shares: RingArray) -> None:
        self.meet("add", *sequences.tolist())
        self._sequences += sequences.tolist()
        self._gallery += list(self._put_together(shares))

    def erase(self, sequences: SequenceArray) -> None:
        for sequence in sequences.tolist():
            self._gallery[self._sequences.index(sequence)][:] = 0

    def probe(self, shares: RingArray) -> None:
        self.meet("probe", len(shares))
        self._probes = self._put_together(shares)

    def reached(self, least: int) -> BoolArray:
        self.meet("reached", least)
        return np.asarray((self._products() >= least).any(axis=1))

    def among(self, least: int) -> BoolArray:
        self.meet("among", least)
        return np.asarray(self._probes @ self._probes.T >= least)

    def reaching(self, least: int, rows: Sequence[int]) -> BoolArray:
        self.meet("reaching", least, *rows)
        return np.asarray(self._products()[list(rows)] >= least)

    def nearest(self, row: int, sequences: Sequence[int]) -> int:
        self.meet("nearest", row, *sequences)
        columns = [self._sequences.index(sequence) for sequence in sequences]
        return sequences[int(np.argmax(self._products()[row, columns]))]

    def histogram(self, edges: Sequence[int], minimum: int = 1000) -> CountArray:
        self.meet("histogram", minimum, *edges)
        counts = np.zeros(len(edges) - 1, np.int64)
        places = np.searchsorted(edges, self._products().ravel(), side="right") - 1
        inside = places[(places >= 0) & (places < len(counts))]
        np.add.at(counts, inside, 1)
        return np.where(counts >= minimum, counts, 0)

    def close(self) -> None:
        self._meeting.break_off()

    def _products(self) -> Any:
        gallery = np.array(self._gallery, np.int64).reshape(-1, self._probes.shape[1])
        return self._probes @ gallery.T

    def _put_together(self, shares: RingArray) -> Any:
        first, second, third = self._meeting.exchange(self._rank, shares)
        for one, next_one in ((first, second), (second, third), (third, first)):
            if not np.array_equal(one[:, 1], next_one[:, 0]):
                raise EngineFailed("neighbours hold different components")
        return (first[:, 0] + second[:, 0] + third[:, 0]).view(np.int64)
