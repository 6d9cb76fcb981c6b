"""A party in this process: its store, its keys and, in a session, its engine.

    prepare            seal opened, shares kept
    steps              numbered, one at a time, each the same at the three parties
    commit             shares become templates; the store first, then the engine
    hand_over, take_over   one party's store from the other two's

The store is the truth, and every answer about it is durable. A session is a cache: it may end at
any moment, and the next one loads the store again.
"""

import re
import threading
from collections.abc import Sequence
from itertools import pairwise

from uniqueness.errors import PartyBehind, PartyRefused, SessionEnded
from uniqueness.private.party_session import PartySession, StartEngine
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import (
    MAX_IDENTIFIER,
    MAX_ROWS,
    SAMPLE,
    BoolArray,
    Commit,
    ComponentDigests,
    CountArray,
    PartyStatus,
    Piece,
)
from uniqueness.private.resharing import PIECE_NUMBERS, make_piece, open_pieces
from uniqueness.private.sealed_shares import open_share
from uniqueness.private.shares import PARTIES
from uniqueness.private.trust import Circle, PartyKeys

LEAST_SAMPLES = 1_000  # in a bucket of a histogram that is told
MAX_EDGES = 257
MAX_NEAREST = 256
_NAME = re.compile(rf"[A-Za-z0-9-]{{1,{MAX_IDENTIFIER}}}")


class Party:
    """One of the three. See `PartyLike` for what each method does.

    Args:
        keys: its own.
        circle: whom it trusts.
        store: its own; nobody else writes it.
        start_engine: with the name of a session.
        least_samples: in a bucket of a histogram, to be told.

    Raises:
        TrustInvalid: the circle knows this party by other keys.
    """

    def __init__(
        self,
        keys: PartyKeys,
        circle: Circle,
        store: PartyStore,
        start_engine: StartEngine,
        *,
        least_samples: int = LEAST_SAMPLES,
    ) -> None:
        keys.require_in(circle)
        self._keys = keys
        self._circle = circle
        self._store = store
        self._start_engine = start_engine
        self._least_samples = least_samples
        self._session: PartySession | None = None
        self._lock = threading.Lock()  # of which session is the one

    @property
    def index(self) -> int:
        return self._keys.card.index

    def status(self) -> PartyStatus:
        head, session = self._store.head(), self._session
        first, second = head.chains
        return PartyStatus(
            index=self.index,
            head=head.sequence,
            digests=(first.hex(), second.hex()),
            templates=self._store.count(),
            session=session.name if session is not None and session.is_open else None,
            prepared=self._store.prepared_batches(),
        )

    def open_session(self, session: str) -> None:
        opened = PartySession(_named(session), self._store)
        with self._lock:
            before, self._session = self._session, opened
        if before is not None:
            before.end("as another was opened")
            before.wait()  # both would listen at the same address
        opened.start(self._start_engine)

    def close_session(self, session: str) -> None:
        with self._lock:
            before = self._session
            if before is None or before.name != session:
                return
            self._session = None
        before.end("as it was closed")

    def prepare(self, batch: str, sealed: Sequence[bytes]) -> tuple[ComponentDigests, ...]:
        if not 1 <= len(sealed) <= MAX_ROWS:
            raise PartyRefused(f"a batch has 1 to {MAX_ROWS} rows")
        shares = [
            open_share(
                one,
                self._keys.seal,
                party=self.index,
                batch=_named(batch),
                row=row,
                dimension=self._circle.dimension,
            )
            for row, one in enumerate(sealed)
        ]
        return self._store.prepare(batch, shares)

    def load_probes(self, session: str, step: int, batch: str) -> None:
        shares = self._store.probes(batch)
        opened = self._open(session)
        with opened.step(step) as engine:
            engine.probe(shares)
            opened.loaded(len(shares))

    def load_sample(self, session: str, step: int) -> None:
        opened = self._open(session)
        with opened.step(step) as engine:
            head, counted = self._store.head().sequence, self._store.counted()
            if self._store.count() < SAMPLE:
                raise PartyRefused(f"a histogram takes {SAMPLE} templates at least")
            if counted is not None and head - counted < self._least_samples:
                raise PartyRefused(
                    f"the last histogram was told at {counted}; the next may be had from "
                    f"{counted + self._least_samples} on"
                )
            engine.probe(self._store.sample(SAMPLE))
            opened.loaded(SAMPLE, is_sample=True)

    def reached(self, session: str, step: int, least: int) -> BoolArray:
        opened = self._open(session)
        with opened.step(step) as engine:
            opened.require_rows()
            return engine.reached(_positive(least))

    def among(self, session: str, step: int, least: int) -> BoolArray:
        opened = self._open(session)
        with opened.step(step) as engine:
            opened.require_rows()
            return engine.among(_positive(least))

    def reaching(
        self, session: str, step: int, least: int, rows: Sequence[int]
    ) -> tuple[tuple[int, ...], ...]:
        opened = self._open(session)
        with opened.step(step) as engine:
            opened.require_rows(rows)
            bits = engine.reaching(_positive(least), rows)
            numbers, gone = opened.sequences, opened.erased
        found = (sorted(set(numbers[row].tolist()) - gone) for row in bits)
        return tuple(tuple(sequences) for sequences in found)

    def nearest(self, session: str, step: int, row: int, sequences: Sequence[int]) -> int:
        opened = self._open(session)
        with opened.step(step) as engine:
            opened.require_rows([row])
            there = set(opened.sequences.tolist()) - opened.erased
            if not 1 <= len(sequences) <= MAX_NEAREST or not set(sequences) <= there:
                raise PartyRefused(f"name 1 to {MAX_NEAREST} templates that this party holds")
            return engine.nearest(row, sequences)

    def histogram(self, session: str, step: int, edges: Sequence[int]) -> CountArray:
        opened = self._open(session)
        with opened.step(step) as engine:
            if not opened.is_sample:
                opened.require_rows()
            ascending = all(low < high for low, high in pairwise(edges))
            if not (2 <= len(edges) <= MAX_EDGES and ascending):
                raise PartyRefused(f"give 2 to {MAX_EDGES} edges, each above the one before")
            if opened.counted:
                raise PartyRefused("these probes were counted before: load others")
            opened.counted = True
            counts = engine.histogram(edges, self._least_samples)
            if opened.is_sample:
                self._store.note_counted()
            return counts

    def commit(self, commit: Commit) -> None:
        self._store.commit(commit)
        session = self._session
        if session is not None:
            session.follow()

    def discard(self, batch: str) -> None:
        self._store.discard(batch)

    def hand_over(self, recipient: int, after: int, until: int) -> Piece:
        head = self._store.head().sequence
        if recipient == self.index or not 0 <= recipient < PARTIES:
            raise PartyRefused("the recipient is one of the two other parties")
        if not 0 <= after <= head:
            raise PartyBehind(f"party {self.index} is at {head} itself")
        until = max(after, min(until, head, after + PIECE_NUMBERS))
        return make_piece(
            self._keys,
            self._circle.parties[recipient],
            self._store.head_at(after),
            self._store.head_at(until),
            self._store.entries(after=after, until=until),
        )

    def take_over(self, pieces: Sequence[Piece]) -> None:
        head = self._store.head()
        parties, dimension = self._circle.parties, self._circle.dimension
        entries = open_pieces(self._keys, parties, dimension, head, pieces)
        if entries:
            self._store.extend(head, entries)
            session = self._session
            if session is not None:
                session.end("as this party was reshared")

    def close(self) -> None:
        """End the session, if one is open."""
        with self._lock:
            before, self._session = self._session, None
        if before is not None:
            before.end("as the party stops")
            before.wait()

    def _open(self, session: str) -> PartySession:
        current = self._session
        if current is None or current.name != session:
            raise SessionEnded("the session is not open at this party: open another")
        return current


def _positive(least: int) -> int:
    if least <= 0:
        raise PartyRefused("a threshold is above 0: what was erased has the product 0")
    return least


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PartyRefused(f"a name has 1 to {MAX_IDENTIFIER} of A-Z a-z 0-9 -")
    return name
