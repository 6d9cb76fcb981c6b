"""The monitor of the chain: a fault is told from a closed epoch."""

import httpx

from distribution.errors import ChainUnreachable
from personhood.telemetry.chain import ChainMonitor, monitor_app
from personhood.telemetry.metrics import Figure
from tests.service import served

TOKEN = "a token of sixteen characters"


class SomeChain:
    """Answers what it is told to."""

    def __init__(self) -> None:
        self.looks, self.reachable, self.open, self.members = 0, True, True, 5

    def look(self) -> list[Figure]:
        self.looks += 1
        if not self.reachable:
            raise ChainUnreachable("no answer")
        return [
            Figure("personhood_root_members", self.members),
            Figure("personhood_epoch_open", float(self.open)),
        ]


def test_a_closed_epoch_is_no_fault() -> None:
    chain = SomeChain()
    with served(monitor_app(ChainMonitor(chain.look, kept=0), TOKEN)) as url:
        assert httpx.get(f"{url}/health").json() == {"status": "ok", "epoch": "open"}
        chain.open = False
        assert httpx.get(f"{url}/health").json() == {"status": "ok", "epoch": "closed"}
        chain.reachable = False
        down = httpx.get(f"{url}/health")
    assert (down.status_code, down.json()) == (503, {"status": "down", "epoch": "unknown"})


def test_the_chain_is_not_asked_for_every_scrape() -> None:
    chain = SomeChain()
    monitor = ChainMonitor(chain.look, kept=3600)
    for _ in range(5):
        monitor.figures()
    assert chain.looks == 1


def test_a_chain_that_does_not_answer_is_a_figure() -> None:
    chain = SomeChain()
    chain.reachable = False
    with served(monitor_app(ChainMonitor(chain.look), TOKEN)) as url:
        answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert "personhood_chain_up 0.0" in answer.text
    assert "personhood_root_members" not in answer.text


def test_the_roots_age_begins_anew_when_it_moves() -> None:
    chain = SomeChain()
    monitor = ChainMonitor(chain.look, kept=0)
    monitor.figures()
    before = monitor._root
    monitor.figures()
    assert monitor._root == before
    chain.members = 6
    monitor.figures()
    assert monitor._root[1] > before[1]
