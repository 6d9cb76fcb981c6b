"""`personhood party`, as the operators of three parties and of the service type it."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from personhood.cli import app
from personhood.party_app import CIRCLE
from tests.unit.uniqueness.plain_engine import PlainEngines
from tests.unit.uniqueness.three_parties import Three, served
from uniqueness.errors import PartyUnavailable, TrustInvalid
from uniqueness.key_files import KeyFiles
from uniqueness.private.party import Party
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import Added, Commit
from uniqueness.private.trust import Circle, PartyKeys

DIMENSION = 64


class Operators:
    """Four homes, each with its own environment."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch

    def home(self, who: str) -> Path:
        return self.directory / who

    def type(self, who: str, *arguments: str, fails: bool = False) -> str:
        self._monkeypatch.setenv("PERSONHOOD_HOME", str(self.home(who)))
        result = CliRunner().invoke(app, ["party", *arguments], catch_exceptions=False)
        assert bool(result.exit_code) is fails, result.output
        return result.output

    def cards(self) -> list[str]:
        parties = [str(self.home(f"p{i}") / "party/card.json") for i in range(3)]
        return [*parties, str(self.home("service") / "coordinator/card.json")]

    def pin(self, who: str) -> str:
        return self.type(who, "pin", *self.cards(), "--dimension", str(DIMENSION))


@pytest.fixture
def operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operators:
    operators = Operators(tmp_path, monkeypatch)
    for i in range(3):
        operators.type(f"p{i}", "init", str(i), "--port", str(free_port()))
    operators.type("service", "init", "--coordinator")
    return operators


@pytest.fixture
def running(operators: Operators) -> Iterator[Three]:
    """The three, as their operators run them."""
    parties, engines = [], PlainEngines()
    with ExitStack() as stack:
        for who in ("p0", "p1", "p2", "service"):
            operators.pin(who)
        for i in range(3):
            home = operators.home(f"p{i}") / "party"
            circle, keys = Circle.read(home / CIRCLE), PartyKeys.read(home)
            database = create_engine(f"sqlite:///{home}/shares.db")
            store = PartyStore(database, KeyFiles(home / "store.key"), i, DIMENSION)
            parties.append(Party(keys, circle, store, engines.starter(i)))
            port = int(keys.card.url.rpartition(":")[2])
            stack.enter_context(served(parties[i], circle, keys, port))
        yield Three(parties, circle)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        return int(nobody.getsockname()[1])


def test_all_four_come_to_one_circle(operators: Operators) -> None:
    told = [operators.pin(who) for who in ("p0", "p1", "p2", "service")]
    circles = [re.search(r"^circle +([0-9a-f ]+)$", text, re.M) for text in told]
    assert len({circle.group(1) for circle in circles if circle}) == 1
    again = operators.type("p1", "init", "1")
    shown = re.search(r"^fingerprint +([0-9a-f ]+)$", again, re.M)
    assert shown is not None  # of a card with another port: the others have to pin it again
    assert shown.group(1) not in told[0]


def test_who_is_not_among_the_cards_pins_nothing(operators: Operators, tmp_path: Path) -> None:
    operators.type("other", "init", "1")
    with pytest.raises(TrustInvalid, match="not among"):
        operators.pin("other")
    assert "personhood party init" in operators.type(
        "nobody", "pin", *operators.cards(), "--dimension", "64", fails=True
    )
    assert not list((tmp_path / "other").rglob(CIRCLE))


def test_a_party_or_a_coordinator(operators: Operators) -> None:
    assert "0 to 2" in operators.type("p9", "init", fails=True)
    assert "0 to 2" in operators.type("p9", "init", "1", "--coordinator", fails=True)


def test_status_at_the_coordinator_and_at_a_party(operators: Operators, running: Three) -> None:
    running.enrol("b1", 1, 2)
    assert operators.type("service", "status").count(" 2 ") == 6  # head and templates of three
    assert operators.type("p1", "status").count(" 2 ") == 2
    running.prepare("b2", 3)
    running.parties[0].commit(Commit("b2", 2, (Added(0),)))
    told = operators.type("service", "status", fails=True)
    assert "behind: party 1, 2" in told


def test_status_tells_who_does_not_answer(operators: Operators) -> None:
    operators.pin("service")
    told = operators.type("service", "status", fails=True)
    assert told.count("does not answer") == 3


def test_a_lost_store(operators: Operators, running: Three) -> None:
    running.enrol("b1", 1, 2)
    running.prepare("b2", 3)
    for party in running.parties[:2]:
        party.commit(Commit("b2", 2, (Added(0),)))
    assert "from number 2 to 3" in operators.type("p2", "reshare")
    assert running.require_equal() == 3
    assert "from number 3 to 3" in operators.type("p2", "reshare")
    with pytest.raises(TrustInvalid):
        operators.type("service", "reshare")


def test_resharing_while_another_is_down(operators: Operators) -> None:
    operators.pin("p0")
    with pytest.raises(PartyUnavailable):
        operators.type("p0", "reshare")


def test_rotate(operators: Operators, running: Three) -> None:
    running.enrol("b1", 1, 2)
    assert "2 shares" in operators.type("p0", "rotate")
    running.open_session("s1")


def test_the_circle_is_public(operators: Operators) -> None:
    operators.pin("p0")
    text = (operators.home("p0") / "party" / CIRCLE).read_text()
    assert set(json.loads(text)) == {"dimension", "parties", "coordinator"}
    assert "PRIVATE" not in text
