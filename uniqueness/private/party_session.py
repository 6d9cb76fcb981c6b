"""One session of a party: its engine, which follows the store, and the steps it took."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from uniqueness.errors import EngineFailed, PartyRefused, SessionEnded, StepOutOfOrder
from uniqueness.private.party_entries import SequenceArray
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import BoolArray, CountArray
from uniqueness.private.shares import RingArray


class MatchingEngine(Protocol):
    """One party's side of the computation; the three make the same calls in the same order.

    Every call raises `EngineFailed` when a peer does not make it too.
    """

    def add(self, sequences: SequenceArray, shares: RingArray) -> None:
        """Append (n, 2, d) shares of templates to the gallery."""
        ...

    def erase(self, sequences: SequenceArray) -> None:
        """Have these templates match nobody from now on."""
        ...

    def probe(self, shares: RingArray) -> None:
        """Load (p, 2, d) shares of probes in place of those before."""
        ...

    def reached(self, least: int) -> BoolArray:
        """(p,) bool: whether any dot product with the gallery is `least` or more."""
        ...

    def among(self, least: int) -> BoolArray:
        """(p, p) bool, of the probes with each other."""
        ...

    def reaching(self, least: int, rows: Sequence[int]) -> BoolArray:
        """(r, n) bool, of some probes with each template, in the order in which they were added."""
        ...

    def nearest(self, row: int, sequences: Sequence[int]) -> int:
        """Which of some templates has the highest dot product with a probe; its number."""
        ...

    def histogram(self, edges: Sequence[int], minimum: int = ...) -> CountArray:
        """(b,) int64, buckets of all dot products; 0 for those below `minimum`."""
        ...

    def close(self) -> None:
        """End the worker, from whatever thread: a call that is under way raises `EngineFailed`."""
        ...


# With a session's name, and who holds the engine while it waits for its peers, to close it then.
StartEngine = Callable[[str, Callable[[MatchingEngine], None]], MatchingEngine]


class PartySession:
    """Takes steps one by one; ended by the first failure, or by another session.

    Args:
        name: of the session.
        store: what the engine has to hold.
    """

    def __init__(self, name: str, store: PartyStore) -> None:
        self.name = name
        self.probes = 0  # rows that are loaded
        self.is_sample = False  # whether they are templates, of which only a histogram is told
        self.counted = False  # whether it was told
        self._store = store
        self._lock = threading.Lock()  # of whoever uses the engine
        self._engine: MatchingEngine | None = None
        self._is_ready = False
        self._ended: str | None = None
        self._step = 0
        self._loaded = 0  # the last number that the engine has
        self._added: list[SequenceArray] = []
        self._erased: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Whether steps can be taken."""
        return self._is_ready and self._ended is None

    @property
    def sequences(self) -> SequenceArray:
        """(n,) int64, templates as the engine has them in order, those erased meanwhile too."""
        return np.concatenate([np.empty(0, np.int64), *self._added])

    @property
    def erased(self) -> frozenset[int]:
        """Numbers of the templates that were erased since the engine has them."""
        return frozenset(self._erased)

    def start(self, start_engine: StartEngine) -> None:
        """Start the engine and load all that the store holds.

        Raises:
            EngineFailed, SessionEnded: see `PartyLike.open_session`.
            WrongKey, RecordCorrupted, GalleryUnavailable: the store cannot be read.
        """
        with self._lock, self._guarded():
            self._engine = start_engine(self.name, self._hold)
            self._require_not_ended()
            self._load()
            self._is_ready = True

    @contextmanager
    def step(self, number: int) -> Iterator[MatchingEngine]:
        """Take the next step with the engine.

        Raises:
            SessionEnded, StepOutOfOrder, EngineFailed: see `PartyLike.load_probes`.
        """
        with self._lock:
            self._require_not_ended()
            if number != self._step + 1:
                raise StepOutOfOrder(
                    f"step {self._step + 1} comes next and not {number}: open another session"
                )
            self._step = number
            with self._guarded():
                if self._engine is None:
                    raise PartyRefused("the session is not open yet")
                yield self._engine

    def follow(self) -> None:
        """Have the engine take what the store was told since; a failure ends the session."""
        try:
            with self._lock, self._guarded():
                if self._engine is not None and self._ended is None:
                    self._load()
        except (EngineFailed, SessionEnded):
            return  # the next step tells

    def end(self, why: str) -> None:
        """Make this the session's end, from whatever thread."""
        self._ended = self._ended or why
        if self._engine is not None:
            self._engine.close()

    def wait(self) -> None:
        """Until nobody uses the engine any more."""
        with self._lock:
            return

    def loaded(self, probes: int, *, is_sample: bool = False) -> None:
        """Note what the engine's probes are now."""
        self.probes, self.is_sample, self.counted = probes, is_sample, False

    def require_rows(self, rows: Sequence[int] = ()) -> None:
        """Check that probes are loaded, and these rows among them.

        Raises:
            PartyRefused: they are not.
        """
        if self.is_sample or not self.probes or not all(0 <= row < self.probes for row in rows):
            raise PartyRefused("these rows are not loaded")

    def _hold(self, engine: MatchingEngine) -> None:
        self._engine = engine
        if self._ended is not None:
            engine.close()

    def _load(self) -> None:
        if self._engine is None:
            return
        for stretch in self._store.stretches(self._loaded):
            if len(stretch.sequences):
                self._engine.add(stretch.sequences, stretch.shares)
                self._added.append(stretch.sequences)
            here = np.isin(stretch.erased, self.sequences)
            gone = stretch.erased[here]
            if len(gone):
                self._engine.erase(gone)
                self._erased.update(gone.tolist())
            self._loaded = stretch.until

    def _require_not_ended(self) -> None:
        if self._ended is not None:
            if self._engine is not None:
                self._engine.close()
            raise SessionEnded(f"the session is over, {self._ended}: open another")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Whatever goes wrong with the engine ends the session."""
        try:
            yield
        except PartyRefused:
            raise
        except EngineFailed:
            ended = self._ended
            self.end("as the engine failed")
            if ended is not None:
                raise SessionEnded(f"the session is over, {ended}: open another") from None
            raise
        except BaseException:
            self.end("as this party failed")
            raise
