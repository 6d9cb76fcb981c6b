"""Reads a log that a service serves over HTTP."""

import base64
from collections.abc import Callable
from typing import Any, Final, Self, TypeVar

import httpx

from transparency.checkpoint import Checkpoint
from transparency.entry import Opening
from transparency.errors import LogUnreachable
from transparency.mirror import LogCopy, parse_opening
from transparency.note import VerifierKey
from transparency.store import Disclosed

TIMEOUT: Final = 30.0  # seconds
_PAGE: Final = 1000

_T = TypeVar("_T")


class LogClient:
    """One service's log.

    Args:
        url: of the service, such as http://127.0.0.1:8000.

    Raises:
        LogUnreachable: from every method, the service does not answer, or not as a log does.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/v1/log", timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def key(self) -> VerifierKey:
        """The key that the service says is the log's: believe it once, then keep it."""
        return VerifierKey.from_text(self._ask("/key").text)

    def checkpoint(self) -> str:
        """The head of the log, as a signed note that nobody checked."""
        return self._ask("/checkpoint").text

    def witnessed(self) -> str:
        """The newest checkpoint that witnesses cosigned, as a signed note that nobody checked."""
        return self._ask("/checkpoint/witnessed").text

    def download(self, start: int = 0) -> LogCopy:
        """The checkpoint, and everything from leaf `start` up to it."""
        note = self.checkpoint()
        size = Checkpoint.of_note(note).size
        leaves: list[bytes] = []
        while start + len(leaves) < size:
            at = start + len(leaves)
            query = {"start": at, "end": min(size, at + _PAGE)}
            page = self._read(
                "/entries", query, lambda body: [str(leaf) for leaf in body["leaves"]]
            )
            if not page:
                break
            leaves += [leaf.encode() for leaf in page]
        return LogCopy(note, leaves, self._openings(start, size))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """A proof, to be verified."""
        return self._read(
            "/proof/inclusion",
            {"index": index, "size": size},
            lambda body: [base64.b64decode(part, validate=True) for part in body["proof"]],
        )

    def leaf(self, index: int) -> bytes:
        """One leaf, to be verified."""
        query = {"start": index, "end": index + 1}
        return self._read("/entries", query, lambda body: str(body["leaves"][0]).encode())

    def opening(self, index: int) -> Opening | None:
        """Which commitment a leaf is about, to be compared with the leaf."""
        page = self._read(
            "/openings",
            {"start": index},
            lambda body: [parse_opening(part) for part in body["openings"]],
        )
        return next((found.opening for found in page if found.index == index), None)

    def _openings(self, start: int, size: int) -> list[Disclosed]:
        found: list[Disclosed] = []
        following: int | None = start
        while following is not None and following < size:
            page, following = self._read(
                "/openings",
                {"start": following},
                lambda body: ([parse_opening(part) for part in body["openings"]], body["next"]),
            )
            found += page
        return [disclosed for disclosed in found if disclosed.index < size]

    def _read(self, path: str, query: dict[str, int], parse: Callable[[Any], _T]) -> _T:
        try:
            return parse(self._ask(path, query).json())
        except (ValueError, KeyError, TypeError, IndexError):
            raise LogUnreachable(f"{path} is not answered as a decision log does") from None

    def _ask(self, path: str, query: dict[str, int] | None = None) -> httpx.Response:
        try:
            answer = self._http.get(path, params=query)
            answer.raise_for_status()
        except httpx.HTTPStatusError as refused:
            status = refused.response.status_code
            raise LogUnreachable(f"the log's service answers {path} with {status}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            raise LogUnreachable(f"no decision log answers at {self._http.base_url}") from lost
        return answer
