"""Three parties as real processes with real engines: killed with -9 while all take a step."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from personhood.demo.party_process import PartyProcess, make_parties
from personhood.party_app import member_of
from tests.engines import CACHE, engine_python
from tests.unit.uniqueness.three_parties import DIMENSION, Three
from uniqueness.errors import PrivateMatchingError
from uniqueness.private.protocol import Added
from uniqueness.private.shares import PARTIES

pytestmark = pytest.mark.slow
STEPS = ("prepare", "open", "load", "reached", "commit")
PATIENCE = 40.0  # seconds in which the other two know, whatever the step


class Running:
    """Three processes, and the coordinator's view of them."""

    def __init__(self, processes: list[PartyProcess], three: Three) -> None:
        self.processes = processes
        self.three = three
        self.enrolled: list[int] = []

    def start(self, index: int) -> None:
        self.processes[index].start()
        self.processes[index].wait_until_ready(self.three.parties[index])  # type: ignore[arg-type]

    def kill_during(self, victim: int, step: Callable[[], object]) -> None:
        """Kill a party while all three take a step; the step ends, well or not, and soon."""
        killing = threading.Timer(0.02, self.processes[victim].kill)
        killing.start()
        began = time.monotonic()
        with suppress(PrivateMatchingError):
            step()
        assert time.monotonic() - began < PATIENCE
        killing.join()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    engine_python()
    home = tmp_path_factory.mktemp("parties")
    processes, circle = make_parties(home, home / "coordinator", DIMENSION)
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PERSONHOOD_CACHE", str(CACHE))
        parties = stack.enter_context(member_of(home / "coordinator").parties(range(3)))
        running = Running(processes, Three(parties, circle))
        for process in processes:
            stack.callback(process.kill)
            process.start()
        for process, party in zip(processes, parties, strict=True):
            process.wait_until_ready(party)
        yield running


@pytest.mark.parametrize("victim", range(PARTIES))
def test_a_party_is_killed_at_each_step_and_nothing_is_lost(running: Running, victim: int) -> None:
    """Every time one more person is enrolled all the same; in the end all of them are found."""
    three = running.three
    for number, killed in enumerate(STEPS):
        name, person = f"{victim}-{number}", 100 + len(running.enrolled)
        enrol_though_killed(running, victim, killed, name, person)
        running.enrolled.append(person)
        assert three.require_equal() == len(running.enrolled)

    three.prepare(f"after-{victim}", *running.enrolled, 999)
    three.open_session(f"after-{victim}")
    three.load(f"after-{victim}")
    assert three.reached() == [*(True for _ in running.enrolled), False]
    three.ask(lambda party: party.discard(f"after-{victim}"))
    three.ask(lambda party: party.close_session(f"after-{victim}"))


def enrol_though_killed(running: Running, victim: int, killed: str, name: str, person: int) -> None:
    three, head = running.three, running.three.require_equal()
    sealed = three.seal_people(name, person)
    steps: dict[str, Callable[[], object]] = {
        "prepare": lambda: three.ask(lambda party: party.prepare(name, sealed[party.index])),
        "open": lambda: three.open_session(name),
        "load": lambda: three.load(name),
        "reached": three.reached,
        "commit": lambda: three.commit(name, head, Added(0)),
    }
    for step in STEPS[: STEPS.index(killed)]:
        steps[step]()
    running.kill_during(victim, steps[killed])
    running.start(victim)
    if killed != "commit":
        steps["prepare"]()  # where it was prepared before, nothing changes
    steps["commit"]()
