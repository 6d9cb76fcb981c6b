"""A party says the same whether its engine sees nothing or, in a test, everything."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine

from tests.engines import engine_python, free_addresses
from tests.unit.uniqueness.three_parties import DIMENSION, LEAST, Three, made_keys
from uniqueness.errors import SessionEnded
from uniqueness.private.party import Party
from uniqueness.private.party_engine import engine_starter
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import Added
from uniqueness.private.trust import Circle
from uniqueness.sealing import Keyring

pytestmark = pytest.mark.slow


def with_real_engines(directory: Path) -> Three:
    circle, keys = made_keys(directory)
    cards = [
        replace(card, links=address)
        for card, address in zip(circle.parties, free_addresses(), strict=True)
    ]
    circle = Circle.of([*cards, circle.coordinator], DIMENSION)
    parties = []
    for kept, card in zip(keys, cards, strict=True):
        own, home = replace(kept, card=card), directory / f"party{card.index}"
        database = create_engine(f"sqlite:///{home}/shares.db")
        store = PartyStore(database, Keyring(b"k" * 32), card.index, DIMENSION)
        start = engine_starter(own, circle, engine_python(), home)
        parties.append(Party(own, circle, store, start, least_samples=3))
    return Three(parties, circle)


def conversation(three: Three) -> list[object]:
    """Everything that can be asked, and every change, in one session and the next."""
    told: list[object] = []
    three.enrol("b1", 1, 2, 3)
    three.open_session("s1")
    three.prepare("b2", 3, 4, 4, 1)
    three.load("b2")
    told.append(three.reached())
    step = three.next_step()
    told.append(three.agreed(lambda party: party.among("s1", step, LEAST)).tolist())
    told.append(three.reaching(0, 1, 3))
    nearest = three.next_step()
    told.append(three.agreed(lambda party: party.nearest("s1", nearest, 3, (3, 1))))
    counting = three.next_step()
    edges = (-(2**22), -(2**18), 2**18, LEAST, 2**22 + 1)
    told.append(three.agreed(lambda party: party.histogram("s1", counting, edges)).tolist())
    three.commit("b2", 3, Added(1))
    three.erase("b3", 3)
    three.prepare("b4", 3, 4)
    three.load("b4")
    told += [three.reached(), three.reaching(0, 1)]
    three.open_session("s2")
    three.load("b4")
    told += [three.reached(), three.reaching(0, 1), three.require_equal()]
    return told


def test_the_answers_are_those_of_whole_numbers(tmp_path: Path) -> None:
    plain = conversation(Three.in_directory(tmp_path / "plain", least_samples=3))
    three = with_real_engines(tmp_path / "real")
    assert conversation(three) == plain
    three.ask(lambda party: party.close())  # type: ignore[attr-defined]
    with pytest.raises(SessionEnded):
        three.reached()
    assert plain[0] == [True, False, False, True]
    np.testing.assert_array_equal(plain[5], [False, True])
