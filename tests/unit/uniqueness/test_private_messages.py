"""What a party hears from the other two while they match: the same noise, whoever is matched."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.engines import ThreeEngines, make_links
from uniqueness.private.links import Tunnel
from uniqueness.private.quantised import QuantisedTemplate, least_product, quantise
from uniqueness.private.shares import PARTIES

pytestmark = pytest.mark.slow

DIMENSION, PEOPLE, PROBES, ROUNDS = 64, 500, 8, 25
FRAMES = 48  # values that headers of frames may take
SIGMAS = 7.0  # noise itself fails one run in 10^11
LEAST = least_product(0.5)


def person(seed: int) -> QuantisedTemplate:
    vector = np.random.default_rng(seed).normal(size=DIMENSION)
    return quantise((vector / np.linalg.norm(vector)).astype(np.float32))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[bytearray]:
    """By party, all bytes that reach its worker."""
    heard = [bytearray() for _ in range(PARTIES)]
    pump = Tunnel._pump

    async def listening(
        self: Tunnel, source: asyncio.StreamReader, to: Any, *, counted: bool
    ) -> None:
        class Ear:
            def write(self, data: bytes) -> None:
                if not counted:
                    heard[rank] += data
                to.write(data)

            async def drain(self) -> None:
                await to.drain()

        rank = self._rank
        await pump(self, source, Ear(), counted=counted)  # type: ignore[arg-type]

    monkeypatch.setattr(Tunnel, "_pump", listening)
    return heard


def bytes_of_matching(
    template: QuantisedTemplate, heard: list[bytearray], keys: Path
) -> list[npt.NDArray[np.int64]]:
    """By party, how often each byte was heard while many copies of one template are matched."""
    keys.mkdir()
    with ThreeEngines(make_links(keys)) as three:
        three.add(list(range(1, PEOPLE + 1)), np.stack([template] * PEOPLE))
        three.probe(np.stack([template] * PROBES))
        three.agreed(lambda engine: engine.reached(LEAST))  # compiled, and its rounds agreed on
        for ear in heard:
            ear.clear()
        for _ in range(ROUNDS):
            assert three.agreed(lambda engine: engine.reached(LEAST)).all()
        return [np.bincount(np.frombuffer(bytes(ear), np.uint8), minlength=256) for ear in heard]


def test_what_is_heard_does_not_depend_on_who_is_matched(
    heard: list[bytearray], tmp_path: Path
) -> None:
    """Two samples of bytes, of two people: had a tenth been in the clear, they would differ."""
    people = person(1), person(2)
    first, second = (
        bytes_of_matching(template, heard, tmp_path / f"{number}")
        for number, template in enumerate(people)
    )
    clear = [
        np.bincount(np.frombuffer(template.tobytes(), np.uint8), minlength=256)
        * (PEOPLE // 10)
        * ROUNDS
        for template in people
    ]
    for one, other in zip(first, second, strict=True):
        assert one.sum() > ROUNDS * PROBES * PEOPLE  # there is something to hear
        assert abs(one.sum() - other.sum()) < 0.1 * one.sum()
        assert not do_differ(one, other)
        assert do_differ(one + clear[0], other + clear[1])


def do_differ(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> bool:
    """Whether two counts of bytes are of two distributions, by a chi-squared test.

    How many frames carry the same content depends on the machine's load: the values that differ
    most may be those of their headers, and are left out.
    """
    scale = np.sqrt(other.sum() / one.sum())
    distance = (one * scale - other / scale) ** 2 / (one + other)
    free = distance.size - FRAMES
    return bool(np.sort(distance)[:free].sum() > free + SIGMAS * np.sqrt(2 * free))
