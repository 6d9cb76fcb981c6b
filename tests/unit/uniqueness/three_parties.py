"""Three parties on one machine, and whoever has them decide, for tests."""

import atexit
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import create_engine

from tests.unit.uniqueness.plain_engine import PlainEngines
from uniqueness.errors import PrivateMatchingError
from uniqueness.key_files import KeyFiles
from uniqueness.private.party import Party
from uniqueness.private.party_api import PartyServer, create_party_app
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import Added, Change, Commit, Erased, PartyLike
from uniqueness.private.quantised import QuantisedTemplate, least_product, quantise
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.sealed_shares import seal_share
from uniqueness.private.shares import PARTIES, split
from uniqueness.private.trust import (
    CARD,
    Circle,
    PartyCard,
    PartyKeys,
    make_coordinator,
    read_card,
    tls_identity,
)

DIMENSION = 64
LEAST = least_product(0.6)
T = TypeVar("T")


def template(number: int) -> QuantisedTemplate:
    """The same person's for the same number; of different people far apart."""
    vector = np.random.default_rng(number).normal(size=DIMENSION)
    return quantise((vector / np.linalg.norm(vector)).astype(np.float32))


@cache
def _made_once() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="personhood-parties-"))
    atexit.register(shutil.rmtree, directory)
    for i in range(PARTIES):
        PartyKeys.make(directory / f"party{i}", i, f"https://127.0.0.1:1{i}", f"127.0.0.1:2{i}")
    make_coordinator(directory / "coordinator")
    return directory


@cache
def made_keys(directory: Path) -> tuple[Circle, tuple[PartyKeys, ...]]:
    """The same keys in each directory."""
    shutil.copytree(_made_once(), directory, dirs_exist_ok=True)
    keys = tuple(PartyKeys.read(directory / f"party{i}") for i in range(PARTIES))
    coordinator = read_card(directory / "coordinator" / CARD)
    return Circle.of([*(one.card for one in keys), coordinator], DIMENSION), keys


@contextmanager
def served(party: PartyLike, circle: Circle, keys: PartyKeys, port: int = 0) -> Iterator[PartyCard]:
    """Serve a party as long as the block runs; yields its card with the address where it is."""
    app = create_party_app(party, circle)
    server = PartyServer(app, keys.tls.server_context(circle), "127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while server.port is None and thread.is_alive():
            time.sleep(0.005)
        yield replace(keys.card, url=f"https://127.0.0.1:{server.port}")
    finally:
        server.stop()
        thread.join()


@contextmanager
def remotely(directory: Path, **wishes: Any) -> "Iterator[Three]":
    """Three parties behind TLS, as the coordinator sees them."""
    circle, keys = made_keys(directory)
    near = Three.in_directory(directory, **wishes)
    identity = tls_identity(directory / "coordinator")
    with ExitStack() as stack:
        far = [
            RemoteParty(stack.enter_context(served(party, circle, keys[party.index])), identity)
            for party in near.parties
        ]
        for one in far:
            stack.enter_context(one)
        yield Three(far, circle)


def open_party(directory: Path, index: int, engines: PlainEngines, **wishes: Any) -> Party:
    circle, keys = made_keys(directory)
    home = directory / f"party{index}"
    database = create_engine(f"sqlite:///{home}/shares.db")
    store = PartyStore(database, KeyFiles(home / "store.key"), index, DIMENSION)
    return Party(keys[index], circle, store, engines.starter(index), **wishes)


class Three:
    """The parties of a directory, asked together as a coordinator does."""

    def __init__(self, parties: Sequence[PartyLike], circle: Circle) -> None:
        self.parties = list(parties)
        self.circle = circle
        self.directory = Path()  # where they are, when they are here
        self._step = 0
        self._session = ""

    @classmethod
    def in_directory(cls, directory: Path, **wishes: Any) -> "Three":
        engines = PlainEngines()
        parties = [open_party(directory, index, engines, **wishes) for index in range(PARTIES)]
        three = cls(parties, made_keys(directory)[0])
        three.directory = directory
        return three

    def ask(self, work: Callable[[PartyLike], T]) -> list[T]:
        """Ask all at the same time; when one fails, end the session in which the others wait."""
        with ThreadPoolExecutor(PARTIES) as pool:
            asked = [pool.submit(work, party) for party in self.parties]
            if wait(asked, return_when=FIRST_EXCEPTION).not_done:
                for party in self.parties:
                    with suppress(PrivateMatchingError):
                        party.close_session(self._session)
            wait(asked)
            return [one.result() for one in asked]

    def agreed(self, work: Callable[[PartyLike], T]) -> T:
        first, *others = self.ask(work)
        for other in others:
            np.testing.assert_array_equal(np.array(other, object), np.array(first, object))
        return first

    def sealed(self, batch: str, templates: Sequence[QuantisedTemplate]) -> list[list[bytes]]:
        """For each party its shares."""
        shares = [split(one) for one in templates]
        return [
            [
                seal_share(share[i], card.public_seal_key(), party=i, batch=batch, row=row)
                for row, share in enumerate(shares)
            ]
            for i, card in enumerate(self.circle.parties)
        ]

    def seal_people(self, batch: str, *numbers: int) -> list[list[bytes]]:
        return self.sealed(batch, [template(number) for number in numbers])

    def prepare(self, batch: str, *numbers: int) -> list[Any]:
        sealed = self.seal_people(batch, *numbers)
        return self.ask(lambda party: party.prepare(batch, sealed[party.index]))

    def open_session(self, session: str) -> None:
        self._session, self._step = session, 0
        self.ask(lambda party: party.open_session(session))

    def load(self, batch: str) -> None:
        step = self.next_step()
        self.ask(lambda party: party.load_probes(self._session, step, batch))

    def reached(self, least: int = LEAST) -> list[bool]:
        step = self.next_step()
        return list(self.agreed(lambda party: party.reached(self._session, step, least)).tolist())

    def reaching(self, *rows: int, least: int = LEAST) -> tuple[tuple[int, ...], ...]:
        step = self.next_step()
        return self.agreed(lambda party: party.reaching(self._session, step, least, rows))

    def commit(self, batch: str, head: int, *changes: Change) -> None:
        self.ask(lambda party: party.commit(Commit(batch, head, changes)))

    def enrol(self, batch: str, *numbers: int) -> None:
        """Without asking whether they are new."""
        head = self.parties[0].status().head
        self.prepare(batch, *numbers)
        self.commit(batch, head, *(Added(row) for row in range(len(numbers))))

    def erase(self, batch: str, *sequences: int) -> None:
        self.commit(batch, self.parties[0].status().head, Erased(sequences))

    def next_step(self) -> int:
        self._step += 1
        return self._step

    def require_equal(self) -> int:
        """All at one head, neighbours with the same digests; returns the head."""
        told = self.ask(lambda party: party.status())
        assert len({status.head for status in told}) == 1
        for before, after in zip(told, [*told[1:], told[0]], strict=True):
            assert before.digests[1] == after.digests[0]
        return told[0].head
