"""kill -9 at each step of a batch and of resharing: the three agree again, and nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.crashing_parties import PEOPLE, POINTS
from tests.unit.uniqueness.three_parties import Three
from uniqueness.private.protocol import Added, Commit, Erased
from uniqueness.private.resharing import reshare

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.integration.crashing_parties", directory]
    subprocess.run(command, cwd=ROOT, timeout=300, check=True)
    return directory


@pytest.mark.parametrize("point", POINTS)
def test_after_a_power_cut_the_three_are_brought_to_one_place(killed: Path, point: str) -> None:
    directory = killed / str(list(POINTS).index(point))
    decided = decisions(directory)
    three = Three.in_directory(directory)
    first, lost, third = three.parties
    for commit in decided:
        for party in (first, third):
            party.commit(commit)
    if "lost" in point:
        reshare(lost, [first, third])
    for commit in decided:
        lost.commit(commit)
    head = three.require_equal()
    assert head == sum(len(commit.changes) for commit in decided)
    for party in three.parties:  # of what was not decided, the coordinator wants nothing
        for batch in party.status().prepared:
            party.discard(batch)
    assert_who_is_there(three, decided)


def decisions(directory: Path) -> list[Commit]:
    file = directory / "decided"
    decided = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        Commit(
            batch,
            head,
            tuple(Added(c) if isinstance(c, int) else Erased(tuple(c)) for c in changes),
        )
        for batch, head, changes in decided
    ]


def assert_who_is_there(three: Three, decided: list[Commit]) -> None:
    batches = {commit.batch for commit in decided}
    everybody = sorted(number for numbers in PEOPLE.values() for number in numbers)
    there = {n for batch, numbers in PEOPLE.items() if batch in batches for n in numbers}
    if "b3" in batches:
        there.discard(1)
    three.prepare("after", *everybody)
    three.open_session("after")
    three.load("after")
    assert three.reached() == [number in there for number in everybody]
    assert {party.status().templates for party in three.parties} == {len(there)}
