"""Keys are made once; a circle is three parties and a coordinator, and nobody twice."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.uniqueness.plain_engine import PlainEngines
from tests.unit.uniqueness.three_parties import DIMENSION, made_keys
from uniqueness.errors import TrustInvalid
from uniqueness.private.party import Party
from uniqueness.private.trust import (
    CARD,
    Card,
    Circle,
    CoordinatorCard,
    PartyKeys,
    card_fingerprint,
    card_json,
    make_coordinator,
    read_card,
)

HERE = "https://127.0.0.1:1", "127.0.0.1:2"


def cards(directory: Path) -> list[Card]:
    circle, _ = made_keys(directory)
    return [*circle.parties, circle.coordinator]


def test_keys_are_for_their_owner_and_stay(tmp_path: Path) -> None:
    made = PartyKeys.make(tmp_path, 0, *HERE)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {
        (tmp_path / name).stat().st_mode & 0o777 for name in ("seal.key", "signing.key", "tls.key")
    } == {0o600}
    assert PartyKeys.make(tmp_path, 0, *HERE).card == made.card
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    moved = PartyKeys.make(tmp_path, 0, "https://other.example.org:1", HERE[1])
    assert moved.card.seal_key == made.card.seal_key
    assert card_fingerprint(moved.card) != card_fingerprint(made.card)


def test_a_card_and_a_circle_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = cards(tmp_path)
    for card in written:
        (tmp_path / "a.json").write_text(card_json(card))
        assert read_card(tmp_path / "a.json") == card
    circle = Circle.of(written[::-1], DIMENSION)
    circle.write(tmp_path / "parties.json")
    read = Circle.read(tmp_path / "parties.json")
    assert read == circle
    assert read.fingerprint == circle.fingerprint
    assert Circle.of(written, DIMENSION + 1).fingerprint != circle.fingerprint


def test_a_circle_is_one_of_each(tmp_path: Path) -> None:
    one, two, three, coordinator = cards(tmp_path)
    twin = replace(two, seal_key=one.seal_key)  # type: ignore[call-arg, arg-type]
    for wrong in (
        [],
        [one, two, three],
        [one, two, coordinator],
        [one, two, two, coordinator],
        [one, two, three, coordinator, coordinator],
        [one, twin, three, coordinator],
        [one, two, three, CoordinatorCard(one.certificate)],
        [one, two, three, CoordinatorCard("no certificate")],
        [one, two, replace(three, signing_key="00"), coordinator],  # type: ignore[call-arg, arg-type]
    ):
        with pytest.raises(TrustInvalid):
            Circle.of(wrong, DIMENSION)
    with pytest.raises(TrustInvalid):
        Circle.of([one, two, three, coordinator], 0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"index": 0}', '{"certificate": 5}'])
def test_what_is_no_card_or_circle(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.json"
    with pytest.raises(TrustInvalid, match="cannot be read"):
        read_card(file)
    file.write_text(text)
    with pytest.raises(TrustInvalid):
        read_card(file)
    with pytest.raises(TrustInvalid):
        Circle.read(file)


def test_a_changed_circle_is_checked_when_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "parties.json"
    Circle.of(cards(tmp_path), DIMENSION).write(file)
    fields = json.loads(file.read_text())
    fields["parties"][1]["index"] = 0
    file.write_text(json.dumps(fields))
    with pytest.raises(TrustInvalid, match="parties 0, 1 and 2"):
        Circle.read(file)


def test_a_party_whom_the_circle_knows_by_other_keys_does_not_start(tmp_path: Path) -> None:
    circle, keys = made_keys(tmp_path)
    other = PartyKeys.make(tmp_path / "other", 0, keys[0].card.url, keys[0].card.links)
    with pytest.raises(TrustInvalid, match="exchange the cards"):
        Party(other, circle, None, PlainEngines().starter(0))  # type: ignore[arg-type]


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(TrustInvalid):
        PartyKeys.read(tmp_path)
    PartyKeys.make(tmp_path / "a", 0, *HERE)
    (tmp_path / "a/seal.key").chmod(0o644)
    with pytest.raises(TrustInvalid, match="chmod 600"):
        PartyKeys.read(tmp_path / "a")
    make_coordinator(tmp_path / "b")
    make_coordinator(tmp_path / "c")
    with pytest.raises(TrustInvalid, match="no keys of a party"):
        PartyKeys.read(tmp_path / "b")
    (tmp_path / "b/tls.key").write_bytes((tmp_path / "c/tls.key").read_bytes())
    with pytest.raises(TrustInvalid, match="not the key of"):
        make_coordinator(tmp_path / "b")
    assert (tmp_path / "c" / CARD).exists()
