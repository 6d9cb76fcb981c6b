"""Requests that arrive together, and what becomes of each."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from distribution.relay_gathering import MOST, Gathering


class Halves:
    """Serves even numbers, refuses odd ones, and breaks at 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, asked: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(asked))
        self.go_on.wait(timeout=60)
        if 13 in asked:
            raise RuntimeError("broken")
        return [ValueError(str(one)) if one % 2 else one // 2 for one in asked]


async def ask_all(halves: Halves, numbers: Sequence[int]) -> list[int | BaseException]:
    """The first alone, the others while it is being served."""
    gathering = Gathering(halves)
    halves.go_on.clear()
    asking = [asyncio.create_task(gathering.ask(number)) for number in numbers]
    while not halves.batches:
        await asyncio.sleep(0.001)
    halves.go_on.set()
    return await asyncio.gather(*asking, return_exceptions=True)


def test_each_gets_its_own_answer() -> None:
    halves = Halves()
    answers = asyncio.run(ask_all(halves, [2, 4, 5, 6]))
    assert answers[:2] == [1, 2]
    assert isinstance(answers[2], ValueError)
    assert answers[3] == 3
    assert [one for batch in halves.batches for one in batch] == [2, 4, 5, 6]


def test_what_comes_meanwhile_is_served_together_and_not_too_many() -> None:
    halves = Halves()

    async def main() -> None:
        gathering = Gathering(halves)
        halves.go_on.clear()
        first = asyncio.create_task(gathering.ask(0))
        while not halves.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(gathering.ask(2 * i)) for i in range(1, 2 * MOST)]
        await asyncio.sleep(0)
        halves.go_on.set()
        assert await asyncio.gather(first, *others) == list(range(2 * MOST))

    asyncio.run(main())
    assert list(map(len, halves.batches)) == [1, MOST, MOST - 1]


def test_a_fault_is_told_to_all_whom_it_concerns_and_to_nobody_else() -> None:
    halves = Halves()

    async def main() -> None:
        gathering = Gathering(halves)
        with pytest.raises(RuntimeError, match="broken"):
            await gathering.ask(13)
        assert await gathering.ask(8) == 4

    asyncio.run(main())


def test_one_who_goes_away_costs_the_others_nothing() -> None:
    halves = Halves()

    async def main() -> None:
        gathering = Gathering(halves)
        halves.go_on.clear()
        gone = asyncio.create_task(gathering.ask(2))
        stays = asyncio.create_task(gathering.ask(4))
        while not halves.batches:
            await asyncio.sleep(0.001)
        gone.cancel()
        await asyncio.sleep(0)
        halves.go_on.set()
        assert await stays == 2
        assert gone.cancelled()

    asyncio.run(main())
