"""Three real engines on this machine, called together as three parties would call them."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from uniqueness.private.certificates import make_certificate
from uniqueness.private.engine import Engine, Links
from uniqueness.private.environment import install_environment
from uniqueness.private.shares import PARTIES, split

CACHE = Path.home() / ".cache/personhood"


def engine_python() -> Path:
    """The engine's interpreter; installed if it is not, as `personhood party install` would."""
    return install_environment(CACHE)


def free_addresses() -> tuple[str, str, str]:
    """Three addresses of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(PARTIES)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    first, second, third = (f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    for one in sockets:
        one.close()
    return first, second, third


def shares_of(templates: npt.NDArray[np.int16]) -> list[npt.NDArray[np.uint64]]:
    """What each party holds of (n, d) templates: three arrays of (n, 2, d)."""
    splits = [split(template) for template in templates]
    return [np.stack([of[party].components for of in splits]) for party in range(PARTIES)]


def make_links(directory: Path, session: str = "session") -> list[Links]:
    """Keys of three parties that trust each other, and what each needs to reach the others."""
    addresses, trusted = free_addresses(), directory / "trusted.pem"
    pems = [
        make_certificate(directory / f"{rank}.pem", directory / f"{rank}.key", f"party {rank}")
        for rank in range(PARTIES)
    ]
    trusted.write_text("".join(pems))
    return [
        Links(session, addresses, directory / f"{rank}.pem", directory / f"{rank}.key", trusted)
        for rank in range(PARTIES)
    ]


class ThreeEngines:
    """Calls all three at once, and wants them to agree."""

    def __init__(self, links: Sequence[Links], **settings: Any) -> None:
        python = engine_python()
        self._pool = ThreadPoolExecutor(PARTIES)
        self.engines: list[Engine] = list(
            self._pool.map(
                lambda rank: Engine(rank, links[rank], python, **settings), range(PARTIES)
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.each(lambda engine: engine.close())
        self._pool.shutdown()

    def each(self, call: Callable[[Engine], Any]) -> list[Any]:
        return list(self._pool.map(call, self.engines))

    def add(self, sequences: Sequence[int], templates: npt.NDArray[np.int16]) -> None:
        shares = shares_of(templates)
        self.each(lambda engine: engine.add(sequences, shares[self.engines.index(engine)]))

    def probe(self, templates: npt.NDArray[np.int16]) -> None:
        shares = shares_of(templates)
        self.each(lambda engine: engine.probe(shares[self.engines.index(engine)]))

    def agreed(self, call: Callable[[Engine], Any]) -> Any:
        """What all three opened."""
        first, second, third = self.each(call)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third)
        return first
