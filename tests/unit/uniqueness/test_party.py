"""A party: what it keeps, in which order it computes, and what it refuses."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine

from tests.unit.uniqueness.plain_engine import PlainEngines
from tests.unit.uniqueness.three_parties import (
    DIMENSION,
    LEAST,
    Three,
    made_keys,
    open_party,
    remotely,
    template,
)
from uniqueness.errors import (
    EngineFailed,
    PartiesDisagree,
    PartyBehind,
    PartyRefused,
    SessionEnded,
    ShareMissing,
    ShareRefused,
    StepOutOfOrder,
    TrustInvalid,
)
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import MAX_ROWS, Added, Commit, Erased
from uniqueness.sealing import Keyring


@pytest.fixture
def here(tmp_path: Path) -> Three:
    return Three.in_directory(tmp_path)


@pytest.fixture(params=["here", "far away"])
def three(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Three]:
    if request.param == "here":
        yield Three.in_directory(tmp_path)
        return
    with remotely(tmp_path) as three:
        yield three


def test_who_was_enrolled_is_found_and_who_was_removed_is_not(three: Three) -> None:
    three.open_session("s1")
    three.prepare("b1", 1, 2, 3)
    three.load("b1")
    assert three.reached() == [False, False, False]
    three.commit("b1", 0, Added(0), Added(2))
    three.prepare("b2", 3, 4, 1)
    three.load("b2")
    assert three.reached() == [True, False, True]
    assert three.reaching(0, 1, 2) == ((2,), (), (1,))
    three.erase("b3", 1)
    assert three.reached() == [True, False, False]
    assert three.reaching(0, least=1)[0][-1] == 2
    assert three.require_equal() == 3
    three.open_session("s2")
    three.load("b2")
    assert three.reached() == [True, False, False]
    assert three.parties[0].status().templates == 1


def test_probes_are_compared_with_each_other(three: Three) -> None:
    three.open_session("s1")
    three.prepare("b1", 1, 2, 1)
    three.load("b1")
    step = three.next_step()
    among = three.ask(lambda party: party.among("s1", step, LEAST))[0]
    np.testing.assert_array_equal(among, [[1, 0, 1], [0, 1, 0], [1, 0, 1]])


def test_the_nearest_of_a_few(three: Three) -> None:
    three.enrol("b1", 1, 2, 3)
    three.open_session("s1")
    three.prepare("b2", 2)
    three.load("b2")
    step = three.next_step()
    assert three.ask(lambda party: party.nearest("s1", step, 0, (3, 2))) == [2, 2, 2]
    step = three.next_step()
    with pytest.raises(PartyRefused):
        three.ask(lambda party: party.nearest("s1", step, 0, (4,)))


def test_a_histogram_hides_small_buckets_and_is_told_once(tmp_path: Path) -> None:
    three = Three.in_directory(tmp_path, least_samples=3)
    three.enrol("b1", 1, 2, 3, 4)
    three.open_session("s1")
    three.prepare("b2", 1)
    three.load("b2")
    edges = (-(2**40), LEAST, 2**40)
    step = three.next_step()
    assert three.agreed(lambda party: party.histogram("s1", step, edges)).tolist() == [3, 0]
    step = three.next_step()
    with pytest.raises(PartyRefused, match="counted before"):
        three.ask(lambda party: party.histogram("s1", step, edges))


def test_neighbours_tell_the_same_digest_of_a_component(three: Three) -> None:
    first, second, third = three.prepare("b1", 1, 2)
    for before, after in ((first, second), (second, third), (third, first)):
        assert [row.second for row in before] == [row.first for row in after]
    again = three.prepare("b2", 1, 2)
    assert {row.first for row in again[0]}.isdisjoint(row.first for row in first)


class TestShares:
    """What is no share for this place is refused, and leaves nothing behind."""

    def refused(self, three: Three, batch: str, sealed: list[bytes], party: int = 0) -> None:
        with pytest.raises(ShareRefused):
            three.parties[party].prepare(batch, sealed)
        assert batch not in three.parties[party].status().prepared

    def test_for_another_party(self, three: Three) -> None:
        self.refused(three, "b1", three.sealed("b1", [template(1)])[1])

    def test_replayed_in_another_batch(self, three: Three) -> None:
        self.refused(three, "b2", three.sealed("b1", [template(1)])[0])

    def test_replayed_in_another_row(self, here: Three) -> None:
        (share,) = here.sealed("b1", [template(1)])[0]
        self.refused(here, "b1", [share, share])

    def test_of_rows_that_changed_places(self, here: Three) -> None:
        shares = here.sealed("b1", [template(1), template(2)])[0]
        self.refused(here, "b1", shares[::-1])

    def test_altered(self, here: Three) -> None:
        (share,) = here.sealed("b1", [template(1)])[0]
        for place in (0, 40, len(share) - 1):
            changed = bytearray(share)
            changed[place] ^= 1
            self.refused(here, "b1", [bytes(changed)])

    @pytest.mark.parametrize("length", [0, 10, 16 * DIMENSION + 47, 16 * DIMENSION + 49])
    def test_of_another_length(self, here: Three, length: int) -> None:
        (share,) = here.sealed("b1", [template(1)])[0]
        self.refused(here, "b1", [(share * 2)[:length]])

    def test_another_one_in_a_row_that_has_one(self, three: Three) -> None:
        three.prepare("b1", 1)
        with pytest.raises(ShareRefused, match="other shares"):
            three.prepare("b1", 1)  # split anew, so it is another share
        with pytest.raises(ShareRefused, match="other shares"):
            three.prepare("b1", 1, 2)

    def test_the_same_again_changes_nothing(self, three: Three) -> None:
        sealed = three.sealed("b1", [template(1)])[0]
        party = three.parties[0]
        assert party.prepare("b1", sealed) == party.prepare("b1", sealed)

    @pytest.mark.parametrize("settle", ["commit", "discard"])
    def test_of_a_batch_that_is_settled(self, three: Three, settle: str) -> None:
        party = three.parties[0]
        sealed = three.sealed("b1", [template(1)])[0]
        party.prepare("b1", sealed)
        party.commit(Commit("b1", 0, (Added(0),))) if settle == "commit" else party.discard("b1")
        assert party.status().prepared == ()
        with pytest.raises(ShareRefused, match="used once"):
            party.prepare("b1", sealed)

    @pytest.mark.parametrize("name", ["", "a" * 65, "a/b", "a b", "ä", "a\n"])
    def test_in_a_batch_of_a_bad_name(self, here: Three, name: str) -> None:
        with pytest.raises(PartyRefused):
            here.parties[0].prepare(name, [b""])

    def test_too_many_or_none(self, three: Three) -> None:
        for sealed in ([], [b""] * (MAX_ROWS + 1)):
            with pytest.raises(PartyRefused):
                three.parties[0].prepare("b1", sealed)


class TestCommit:
    """Numbers strictly follow; repeating changes nothing; another past is told."""

    def test_again(self, three: Three) -> None:
        three.prepare("b1", 1, 2)
        party = three.parties[0]
        for _ in range(2):
            party.commit(Commit("b1", 0, (Added(1), Added(0))))
        before = party.status()
        party.commit(Commit("b2", 2, (Erased((1,)),)))
        party.commit(Commit("b1", 0, (Added(1), Added(0))))
        party.commit(Commit("b2", 2, (Erased((1,)),)))
        assert before.head == 2
        assert party.status().head == 3

    @pytest.mark.parametrize(
        "commit",
        [
            Commit("b1", 0, (Added(0),)),
            Commit("b1", 0, (Added(1), Added(0))),
            Commit("b2", 0, (Added(0), Added(1))),
            Commit("b1", 0, (Added(0), Added(1), Added(2))),
            Commit("b1", 0, (Erased((1,)), Added(1))),
            Commit("b1", 1, (Added(0),)),
        ],
    )
    def test_of_something_else_at_a_place(self, here: Three, commit: Commit) -> None:
        party = here.parties[0]
        here.prepare("b1", 1, 2, 3)
        party.commit(Commit("b1", 0, (Added(0), Added(1))))
        if commit.changes == (Added(0),) and commit.head == 0:
            party.commit(commit)  # the beginning of what was done: it is there
            return
        with pytest.raises(PartiesDisagree):
            party.commit(commit)
        assert party.status().head == 2

    def test_that_follows_on_what_is_not_there(self, three: Three) -> None:
        three.prepare("b1", 1)
        with pytest.raises(PartyBehind):
            three.parties[0].commit(Commit("b1", 1, (Added(0),)))
        assert three.parties[0].status().prepared == ("b1",)

    @pytest.mark.parametrize(
        "changes",
        [(Added(0), Added(0)), (Added(1),), (Erased((1,)),), (Added(0), Erased((2,)))],
    )
    def test_of_what_is_not_prepared_changes_nothing(self, here: Three, changes) -> None:
        party = here.parties[0]
        here.prepare("b1", 1)
        with pytest.raises(ShareMissing):
            party.commit(Commit("b1", 0, changes))
        assert (party.status().head, party.status().prepared) == (0, ("b1",))

    def test_of_nobody_drops_the_batch(self, three: Three) -> None:
        three.prepare("b1", 1)
        three.commit("b1", 0)
        assert three.parties[0].status().prepared == ()
        assert three.require_equal() == 0

    def test_stands_when_the_engine_fails_at_it(self, three: Three) -> None:
        three.prepare("b1", 1)
        three.open_session("s1")
        three.parties[2].close_session("s1")
        three.parties[0].commit(Commit("b1", 0, (Added(0),)))
        assert three.parties[0].status().head == 1
        three.prepare("b2", 1)
        with pytest.raises(SessionEnded):
            three.parties[0].load_probes("s1", 1, "b2")


class TestSessions:
    def test_steps_in_order(self, three: Three) -> None:
        party = three.parties[0]
        three.open_session("s1")
        three.prepare("b1", 1)
        for step in (0, 2, -1):
            with pytest.raises(StepOutOfOrder):
                party.load_probes("s1", step, "b1")
        three.load("b1")
        with pytest.raises(StepOutOfOrder):
            party.reached("s1", 1, LEAST)
        assert three.reached() == [False]

    def test_unknown(self, three: Three) -> None:
        three.prepare("b1", 1)
        with pytest.raises(SessionEnded):
            three.parties[0].load_probes("s1", 1, "b1")
        three.open_session("s1")
        with pytest.raises(SessionEnded):
            three.parties[0].load_probes("s0", 1, "b1")

    def test_a_batch_that_is_not_prepared(self, three: Three) -> None:
        three.open_session("s1")
        with pytest.raises(ShareMissing):
            three.parties[0].load_probes("s1", 1, "b1")
        three.prepare("b1", 1)
        three.load("b1")

    @pytest.mark.parametrize("least", [0, -1])
    def test_a_threshold_that_everybody_reaches(self, here: Three, least: int) -> None:
        here.open_session("s1")
        here.prepare("b1", 1)
        here.load("b1")
        for ask in ("reached", "among"):
            step = here.next_step()
            for party in here.parties:
                with pytest.raises(PartyRefused):
                    getattr(party, ask)("s1", step, least)
        assert here.reached() == [False]

    def test_nothing_loaded(self, three: Three) -> None:
        three.open_session("s1")
        step = three.next_step()
        with pytest.raises(PartyRefused):
            three.ask(lambda party: party.reached("s1", step, LEAST))

    def test_one_party_alone_fails_and_loses_nothing(self, tmp_path: Path) -> None:
        engines = PlainEngines(timeout=0.2)
        party = open_party(tmp_path, 0, engines)
        with pytest.raises(EngineFailed):
            party.open_session("s1")
        assert party.status().session is None

    def test_closing_ends_also_one_that_waits_for_its_peers(self, tmp_path: Path) -> None:
        party = open_party(tmp_path, 0, PlainEngines(timeout=60))
        raised = []

        def wait_for_peers() -> None:
            try:
                party.open_session("s1")
            except SessionEnded as error:
                raised.append(error)

        waiting = threading.Thread(target=wait_for_peers)
        waiting.start()
        while waiting.is_alive():
            party.close_session("s1")
            waiting.join(0.05)
        assert len(raised) == 1
        assert party.status().session is None

    def test_another_ends_the_one_before_also_while_it_computes(self, tmp_path: Path) -> None:
        three = Three.in_directory(tmp_path)
        three.open_session("s1")
        three.prepare("b1", 1)
        three.load("b1")
        party = three.parties[0]
        raised = []

        def compute() -> None:
            try:
                party.reached("s1", 2, LEAST)  # the other two do not come
            except (SessionEnded, EngineFailed) as error:
                raised.append(error)

        waiting = threading.Thread(target=compute)
        waiting.start()
        three.open_session("s2")
        waiting.join()
        assert [type(error) for error in raised] == [SessionEnded]
        three.load("b1")
        assert three.reached() == [False]
        assert party.status().session == "s2"

    def test_closing_ends_only_the_one_named(self, three: Three) -> None:
        three.open_session("s1")
        three.ask(lambda party: party.close_session("s0"))
        assert three.parties[0].status().session == "s1"
        three.ask(lambda party: party.close_session("s1"))
        assert three.parties[0].status().session is None


@pytest.mark.parametrize(("index", "dimension"), [(1, DIMENSION), (0, DIMENSION + 1)])
def test_a_store_is_one_partys(tmp_path: Path, index: int, dimension: int) -> None:
    database, keyring = create_engine(f"sqlite:///{tmp_path}/shares.db"), Keyring(b"k" * 32)
    PartyStore(database, keyring, 0, DIMENSION)
    PartyStore(database, keyring, 0, DIMENSION)
    with pytest.raises(TrustInvalid, match="party 0's"):
        PartyStore(database, keyring, index, dimension)


def test_after_a_restart_everything_is_there(tmp_path: Path) -> None:
    three = Three.in_directory(tmp_path)
    three.enrol("b1", 1, 2)
    three.prepare("b2", 2, 3)
    before = [party.status() for party in three.parties]
    again = Three.in_directory(tmp_path)
    assert [party.status() for party in again.parties] == before
    again.open_session("s1")
    again.load("b2")
    assert again.reached() == [True, False]


def test_no_secret_in_a_repr(here: Three, tmp_path: Path) -> None:
    here.enrol("b1", 1)
    piece = here.parties[1].hand_over(0, 0, 1)
    assert "sealed" not in repr(piece)
    assert "seal=" not in repr(made_keys(tmp_path)[1][0])
    assert replace(piece) == piece
