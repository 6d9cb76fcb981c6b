"""Requests that arrive together are served together, since many cost less than each alone."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from anyio import to_thread

MOST = 128  # served at once: what they cost each falls no further, and others wait

_Asked = TypeVar("_Asked")
_Told = TypeVar("_Told")
_Waiting: TypeAlias = list[tuple[_Asked, asyncio.Future[_Told]]]


class Gathering(Generic[_Asked, _Told]):
    """Serves what has arrived while the batch before was being served; for one event loop.

    Nobody waits for company: a request that comes alone is served at once.

    Args:
        serve: answers many, each with a value or with an error that is raised where it was asked;
            called in a worker thread, one call at a time.
    """

    def __init__(self, serve: Callable[[Sequence[_Asked]], Sequence[_Told | Exception]]) -> None:
        self._serve = serve
        self._waiting: _Waiting[_Asked, _Told] = []
        self._serving: asyncio.Task[None] | None = None

    async def ask(self, asked: _Asked) -> _Told:
        """Wait for the answer to a request."""
        answer: asyncio.Future[_Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve_all())
        return await answer

    async def _serve_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            answers: Sequence[_Told | Exception]
            try:
                answers = await to_thread.run_sync(self._serve, [asked for asked, _ in batch])
            except Exception as fault:
                answers = [fault] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                _settle(future, answer)
        self._serving = None


def _settle(future: asyncio.Future[_Told], answer: _Told | Exception) -> None:
    if future.done():  # whoever asked has gone
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
