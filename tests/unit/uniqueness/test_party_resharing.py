"""A lost store comes back from the other two, and from nobody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.uniqueness.plain_engine import PlainEngines
from tests.unit.uniqueness.three_parties import Three, made_keys, open_party, template
from uniqueness.errors import (
    PartiesDisagree,
    PartyBehind,
    PartyRefused,
    ResharingRefused,
    ShareRefused,
)
from uniqueness.private import party
from uniqueness.private.party_entries import ChainHead
from uniqueness.private.protocol import Added, Commit, ComponentDigests, Piece
from uniqueness.private.resharing import make_piece, reshare
from uniqueness.private.trust import PartyKeys


@pytest.fixture
def three(tmp_path: Path) -> Three:
    three = Three.in_directory(tmp_path)
    three.enrol("b1", 1, 2, 3)
    three.erase("b2", 2)
    three.enrol("b3", 4)
    return three


def lose(three: Three, directory: Path, index: int) -> None:
    for file in (directory / f"party{index}").glob("shares.db*"):
        file.unlink()
    fresh = Three.in_directory(directory)
    three.parties = fresh.parties


def others(three: Three, index: int) -> list:
    return [one for one in three.parties if one.index != index]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_lost_store(three: Three, tmp_path: Path, index: int) -> None:
    lose(three, tmp_path, index)
    assert three.parties[index].status().head == 0
    assert reshare(three.parties[index], others(three, index)) == 5
    assert three.require_equal() == 5
    assert {one.status().templates for one in three.parties} == {3}
    three.open_session("s1")
    three.prepare("b4", 1, 2, 3, 4, 5)
    three.load("b4")
    assert three.reached() == [True, False, True, True, False]


def test_in_many_pieces_and_from_where_it_broke_off(
    three: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(three, tmp_path, 1)
    monkeypatch.setattr(party, "PIECE_NUMBERS", 2)
    lost = three.parties[1]
    lost.take_over([one.hand_over(1, 0, 2) for one in others(three, 1)])
    assert lost.status().head == 2  # template 2 is erased by number 4, which is still to come
    assert lost.status().templates == 1
    assert reshare(lost, others(three, 1)) == 5
    assert three.require_equal() == 5


def test_half_reshared_it_takes_no_session(three: Three, tmp_path: Path) -> None:
    lose(three, tmp_path, 1)
    lost = three.parties[1]
    lost.take_over([one.hand_over(1, 0, 2) for one in others(three, 1)])
    three.parties = [lost, *others(three, 1)]
    with pytest.raises(PartyBehind, match="half reshared"):
        three.open_session("s1")


def test_a_party_that_missed_commits(three: Three) -> None:
    three.prepare("b4", 5, 6)
    for one in others(three, 2):
        one.commit(Commit("b4", 5, (Added(0), Added(1))))
    behind = three.parties[2]
    assert behind.status().prepared == ("b4",)
    assert reshare(behind, others(three, 2)) == 7
    assert behind.status().prepared == ()
    assert three.require_equal() == 7
    behind.commit(Commit("b4", 5, (Added(0), Added(1))))  # told late: it is there


def test_up_to_where_both_are(three: Three, tmp_path: Path) -> None:
    three.prepare("b4", 5)
    three.parties[0].commit(Commit("b4", 5, (Added(0),)))
    lose(three, tmp_path, 1)
    assert reshare(three.parties[1], others(three, 1)) == 5


def test_a_batch_that_was_used_stays_used(three: Three, tmp_path: Path) -> None:
    lose(three, tmp_path, 0)
    reshare(three.parties[0], others(three, 0))
    with pytest.raises(ShareRefused, match="used once"):
        three.parties[0].prepare("b1", three.sealed("b1", [template(9)])[0])


class TestPieces:
    """Whoever passes pieces on can neither read nor change them, nor send others."""

    @pytest.fixture
    def lost(self, three: Three, tmp_path: Path):
        lose(three, tmp_path, 0)
        return three.parties[0]

    @pytest.fixture
    def pieces(self, lost, three: Three) -> list[Piece]:
        return [one.hand_over(lost.index, 0, 5) for one in others(three, lost.index)]

    def refused(self, lost, pieces: list[Piece]) -> None:
        with pytest.raises(ResharingRefused):
            lost.take_over(pieces)
        assert lost.status().head == 0

    def test_of_one_party_alone(self, lost, pieces: list[Piece]) -> None:
        self.refused(lost, pieces[:1])
        self.refused(lost, [pieces[0], pieces[0]])
        self.refused(lost, [*pieces, pieces[0]])

    @pytest.mark.parametrize("place", [0, 31, 60, -1])
    def test_altered(self, lost, pieces: list[Piece], place: int) -> None:
        sealed = bytearray(pieces[0].sealed)
        sealed[place] ^= 1
        self.refused(lost, [replace(pieces[0], sealed=bytes(sealed)), pieces[1]])

    def test_relabelled(self, lost, pieces: list[Piece]) -> None:
        one, two = pieces
        self.refused(lost, [replace(one, until=6), replace(two, until=6)])
        self.refused(lost, [replace(one, sender=2), replace(two, sender=1)])

    def test_for_another_party(self, three: Three, lost) -> None:
        pieces = [three.parties[2].hand_over(1, 0, 5), three.parties[1].hand_over(2, 0, 5)]
        self.refused(lost, pieces)
        self.refused(lost, [replace(piece, recipient=0) for piece in pieces])

    def test_of_different_lengths(self, three: Three, lost, pieces: list[Piece]) -> None:
        self.refused(lost, [pieces[0], three.parties[2].hand_over(0, 0, 4)])

    def test_made_with_other_keys(
        self, lost, pieces: list[Piece], three: Three, tmp_path: Path
    ) -> None:
        circle, _ = made_keys(tmp_path)
        foreign = PartyKeys.make(tmp_path / "elsewhere", 1, "https://127.0.0.1:1", "127.0.0.1:2")
        store = three.parties[1]._store
        end, entries = store.head(), store.entries(after=0, until=5)
        forged = make_piece(foreign, circle.parties[0], store.head_at(0), end, entries)
        self.refused(lost, [forged, pieces[1]])

    def test_of_another_past(self, three: Three, lost) -> None:
        lost.take_over([replace_until(three, 1, 2), replace_until(three, 2, 2)])
        three.parties[1]._store = _Pretending(three.parties[1]._store)
        with pytest.raises(PartiesDisagree):
            lost.take_over([one.hand_over(0, 2, 5) for one in others(three, 0)])
        assert lost.status().head == 2


class _Pretending:
    """A store whose chain is another one."""

    def __init__(self, store) -> None:
        self._store = store

    def head_at(self, sequence: int) -> ChainHead:
        return ChainHead(sequence, ComponentDigests(b"x" * 32, b"y" * 32))

    def __getattr__(self, name: str):
        return getattr(self._store, name)


def replace_until(three: Three, index: int, until: int) -> Piece:
    return three.parties[index].hand_over(0, 0, until)


def test_to_itself_or_past_its_head(three: Three) -> None:
    with pytest.raises(PartyRefused):
        three.parties[0].hand_over(0, 0, 5)
    with pytest.raises(PartyRefused):
        three.parties[0].hand_over(3, 0, 5)
    with pytest.raises(PartyBehind):
        three.parties[0].hand_over(1, 6, 9)


def test_neither_component_of_a_piece_can_be_read_by_who_passes_it_on(three: Three) -> None:
    piece = three.parties[1].hand_over(0, 0, 5)
    share = three.parties[1]._store.entries(after=0, until=1)[0].share
    assert share is not None
    assert share.components[0].tobytes()[:16] not in piece.sealed


def test_an_engine_is_not_needed_for_it(tmp_path: Path) -> None:
    engines = PlainEngines()
    party = open_party(tmp_path, 0, engines)
    assert party.hand_over(1, 0, 100).until == 0
