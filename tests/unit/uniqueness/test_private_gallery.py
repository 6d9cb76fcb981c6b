"""A gallery in shares decides as one that can see, and loses nothing when a party does."""

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from sqlalchemy import create_engine, select

from tests.unit.uniqueness.plain_engine import PlainEngines
from tests.unit.uniqueness.synthetic import (
    DIMENSION,
    MODEL,
    THRESHOLDS,
    at_cosine,
    people,
    probe,
)
from tests.unit.uniqueness.three_parties import made_keys, open_party
from uniqueness.candidates import Identification
from uniqueness.decision import Decision, Thresholds
from uniqueness.errors import (
    GalleryUnavailable,
    InvalidThresholds,
    ModelMismatch,
    PartiesDisagree,
    PartyRefused,
    PartyUnavailable,
    PersonRemoved,
    PersonUnknown,
)
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.matching import Matching
from uniqueness.private.gallery import PrivateGallery
from uniqueness.private.ledger import Ledger, PartyCommitRow
from uniqueness.private.parties import Parties
from uniqueness.private.quantised import SQUARED_NORM, quantise, unit
from uniqueness.private.sealed_shares import seal_share
from uniqueness.private.sequencer import PrivateSequencer
from uniqueness.requests import Enroll, Identify, Remove
from uniqueness.schema import TemplateRow
from uniqueness.sealing import Keyring
from uniqueness.sequencer import Sequencer
from uniqueness.store import GalleryStore

UNIQUE, REVIEW, DUPLICATE = Decision.UNIQUE, Decision.REVIEW, Decision.DUPLICATE
KEY = b"k" * 32


class Unsteady:
    """A party that fails, or lies, when told to."""

    def __init__(self, party):
        self._party = party
        self.down = False
        self.fails = {}  # by method: calls until it fails once
        self.lies = {}  # by method: what becomes of its answer
        self.asked = []

    @property
    def index(self):
        return self._party.index

    def __getattr__(self, name):
        method = getattr(self._party, name)

        def call(*arguments):
            self.asked.append(name)
            if self.down or self.fails.get(name) == 0:
                self.fails.pop(name, None)
                raise PartyUnavailable(f"party {self.index} is down")
            if name in self.fails:
                self.fails[name] -= 1
            answer = method(*arguments)
            return self.lies[name](answer) if name in self.lies else answer

        return call


class Setting:
    """A database, three parties in one directory, and galleries over them."""

    def __init__(self, directory, stack):
        self.directory = directory
        self._stack = stack
        self.engine = create_engine(f"sqlite:///{directory}/coordinator.db")
        self.circle, _ = made_keys(directory)
        engines = PlainEngines()
        self.parties = [Unsteady(open_party(directory, i, engines)) for i in range(3)]

    def seal(self, share, party, batch, row):
        key = self.circle.parties[party].public_seal_key()
        return seal_share(share, key, party=party, batch=batch, row=row)

    def open_parties(self) -> Parties:
        return Parties(self.parties, self.seal)

    def ledger(self) -> Ledger:
        return Ledger(self.engine, Keyring(KEY), MODEL)

    def open(self, thresholds=THRESHOLDS, **options) -> PrivateGallery:
        gallery = PrivateGallery.share(
            self.ledger(), self.open_parties(), MODEL, DIMENSION, thresholds, **options
        )
        return self._stack.enter_context(gallery)

    def heads(self):
        return [party._party.status().head for party in self.parties]


@pytest.fixture
def setting(tmp_path) -> Iterator[Setting]:
    with ExitStack() as stack:
        yield Setting(tmp_path, stack)


def rounded(vector):
    """The template that a quantised one stands for, so that a plain gallery sees the same."""
    return unit(quantise(vector))


def test_a_person_is_unique_once_and_whom_a_duplicate_is_of_stays_unknown(setting):
    gallery, vectors = setting.open(), people(3)
    answers = [gallery.identify_and_enroll(probe(one), f"{i}") for i, one in enumerate(vectors)]
    assert answers == [Identification(UNIQUE, person) for person in (1, 2, 3)]
    again = gallery.identify_and_enroll(probe(at_cosine(vectors[1], 0.9)), "again")
    assert again == Identification(DUPLICATE, None)
    like = gallery.identify_and_enroll(probe(at_cosine(vectors[2], 0.65)), "like")
    assert like == Identification(REVIEW, None)
    assert len(gallery) == 3
    assert setting.heads() == [3, 3, 3]


def test_for_recovery_and_review_a_dry_run_tells_who(setting):
    gallery, vectors = setting.open(), people(3)
    for number, vector in enumerate(vectors):
        gallery.identify_and_enroll(probe(vector), f"{number}")
    assert gallery.identify(probe(at_cosine(vectors[1], 0.9))) == Identification(DUPLICATE, 2)
    assert gallery.identify(probe(at_cosine(vectors[2], 0.65))) == Identification(REVIEW, 3)
    assert gallery.identify(probe(people(1, seed=9)[0])) == Identification(UNIQUE, None)
    (candidate,) = gallery.candidates(probe(at_cosine(vectors[2], 0.65)))
    assert (candidate.person, candidate.score, candidate.templates) == (3, THRESHOLDS.review, 1)
    assert len(gallery) == 3


def test_of_several_who_are_alike_the_nearest_comes_first(setting):
    gallery, (first,) = setting.open(), people(1)
    second = at_cosine(first, 0.65)
    gallery.identify_and_enroll(probe(first), "1")
    gallery.identify_and_enroll(probe(second), "2", despite=[1])
    between = probe((first + 1.2 * second) / np.linalg.norm(first + 1.2 * second).astype("f4"))
    assert gallery.identify(between) == Identification(DUPLICATE, 2)
    assert [one.person for one in gallery.candidates(between)] == [2, 1]


def test_only_the_bits_that_a_decision_needs_are_asked_for(setting):
    gallery, (first, second) = setting.open(), people(2)
    steps = {"reached", "among", "reaching", "nearest", "histogram"}
    asked = setting.parties[0].asked
    gallery.identify_and_enroll(probe(first), "1")
    gallery.identify_and_enroll(probe(second), "2")
    assert [name for name in asked if name in steps] == ["reached", "reached"]
    gallery.identify_and_enroll(probe(first), "3")
    assert [name for name in asked if name in steps] == ["reached"] * 4
    gallery.identify(probe(first))
    assert [name for name in asked if name in steps][4:] == ["reached"] * 2 + ["reaching"] * 2


@pytest.mark.slow
def test_it_decides_as_the_plain_gallery_of_the_same_templates(setting):
    """A hundred batches of newcomers, returning people and likenesses about the thresholds."""
    random = np.random.default_rng(3)
    plain_store = GalleryStore(
        create_engine(f"sqlite:///{setting.directory}/plain.db"), Keyring(KEY)
    )
    # Halfway between two products, so that no rounding of float32 decides.
    thresholds = Thresholds(*((round(t * SQUARED_NORM) + 0.5) / SQUARED_NORM for t in (0.6, 0.7)))
    plain = Sequencer(plain_store, [Matching({MODEL: FaissFlatIndex(DIMENSION)}, thresholds)])
    shared = PrivateSequencer(setting.ledger(), setting.open_parties(), MODEL, thresholds)
    pool = [rounded(vector) for vector in people(150)]
    seen = dict.fromkeys(Decision, 0)
    for batch in range(100):
        requests = []
        for row in range(random.integers(1, 12)):
            base = pool[random.integers(len(pool))]
            cosine = random.choice([1.0, 0.95, random.uniform(0.59, 0.61), 0.7, 0.65])
            vector = rounded(at_cosine(base, cosine, seed=int(random.integers(1e9))))
            requests.append(Enroll(probe(vector), f"{batch}/{row}"))
        requests.append(Identify(probe(rounded(people(1, seed=batch + 999)[0]))))
        expected, found = plain.process(requests), shared.process(requests)
        for one, other in zip(expected[:-1], found[:-1], strict=True):
            assert other.decision is one.decision
            assert other.person == (one.person if one.decision is UNIQUE else None)
            seen[one.decision] += 1
        assert found[-1].identification.decision is expected[-1].identification.decision
        if batch % 10 == 9:
            removal = Remove(int(random.integers(1, 60)))
            (gone,), (also,) = plain.process([removal]), shared.process([removal])
            assert type(gone) is type(also)
    shared.close()
    plain.close()
    assert all(count > 15 for count in seen.values())


@pytest.mark.parametrize("beyond", [0, 1])
def test_at_the_very_threshold_it_is_a_duplicate_and_just_below_it_is_not(setting, beyond):
    (first,) = people(1)
    second = at_cosine(first, 0.8)
    product = int(quantise(first).astype(int) @ quantise(second).astype(int))
    exact = (product + beyond) / SQUARED_NORM
    gallery = setting.open(Thresholds(review=exact, duplicate=exact))
    gallery.identify_and_enroll(probe(first), "1")
    expected = DUPLICATE if beyond == 0 else UNIQUE
    assert gallery.identify_and_enroll(probe(second), "2").decision is expected


def test_a_retry_gets_its_first_answer_also_after_a_restart(setting):
    gallery, (person,) = setting.open(), people(1)
    first = gallery.identify_and_enroll(probe(person), "1")
    assert gallery.identify_and_enroll(probe(person), "1") == first == Identification(UNIQUE, 1)
    gallery.close()
    gallery = setting.open()
    assert gallery.identify_and_enroll(probe(person), "1") == first
    assert gallery.identify_and_enroll(probe(person), "2").decision is DUPLICATE
    assert gallery.verdict("1") == first


def test_the_coordinators_database_holds_no_template(setting):
    gallery = setting.open()
    for number, vector in enumerate(people(5)):
        gallery.identify_and_enroll(probe(vector), f"{number}")
    with setting.engine.connect() as connection:
        rows = connection.execute(select(TemplateRow)).all()
    assert len(rows) == 5
    assert all(row.ciphertext is None and row.nonce is None for row in rows)


def test_who_is_removed_matches_nobody_and_a_second_removal_says_so(setting):
    gallery, vectors = setting.open(), people(2)
    for number, vector in enumerate(vectors):
        gallery.identify_and_enroll(probe(vector), f"{number}")
    gallery.add_template(1, probe(at_cosine(vectors[0], 0.8)), "more")
    gallery.remove(1)
    with pytest.raises(PersonRemoved):
        gallery.remove(1)
    with pytest.raises(PersonUnknown):
        gallery.remove(7)
    assert gallery.identify(probe(vectors[0])).decision is UNIQUE
    assert gallery.identify(probe(at_cosine(vectors[0], 0.8))).decision is UNIQUE
    assert setting.heads() == [4, 4, 4]
    assert gallery.identify_and_enroll(probe(vectors[0]), "back") == Identification(UNIQUE, 3)


def test_a_removal_is_decided_without_the_parties_and_told_them_later(setting):
    gallery, (person,) = setting.open(), people(1)
    gallery.identify_and_enroll(probe(person), "1")
    for party in setting.parties:
        party.down = True
    gallery.remove(1)
    assert len(gallery) == 0
    for party in setting.parties:
        party.down = False
    assert gallery.identify(probe(person)).decision is UNIQUE
    assert setting.heads() == [2, 2, 2]


@pytest.mark.parametrize(
    "method", ["status", "open_session", "prepare", "load_probes", "reached", "commit", "discard"]
)
@pytest.mark.parametrize("index", [0, 2])
def test_a_party_that_fails_once_at_any_step_costs_nothing(setting, method, index):
    gallery, vectors = setting.open(), people(6)
    gallery.identify_and_enroll(probe(vectors[0]), "0")
    setting.parties[index].fails[method] = 0
    if method in ("status", "open_session"):
        gallery._sequencer._parties.end()
    answers = [gallery.identify_and_enroll(probe(vectors[i]), f"{i}") for i in range(1, 6)]
    assert [answer.person for answer in answers] == [2, 3, 4, 5, 6]
    assert gallery.identify_and_enroll(probe(vectors[1]), "x").decision is DUPLICATE
    assert gallery.identify(probe(vectors[1])).person == 2
    assert setting.heads() == [6, 6, 6]
    assert [party._party.status().prepared for party in setting.parties] == [()] * 3


def test_a_party_that_is_down_stops_matching_and_loses_nothing(setting):
    gallery, vectors = setting.open(), people(2)
    gallery.identify_and_enroll(probe(vectors[0]), "1")
    setting.parties[1].down = True
    with pytest.raises(PartyUnavailable):
        gallery.identify_and_enroll(probe(vectors[1]), "2")
    with pytest.raises(GalleryUnavailable):
        gallery.require_working()
    assert gallery.verdict("2") is None
    setting.parties[1].down = False
    gallery.require_working()
    assert gallery.identify_and_enroll(probe(vectors[1]), "2") == Identification(UNIQUE, 2)


def test_a_service_that_dies_before_it_tells_the_parties_tells_them_when_it_is_back(setting):
    gallery, vectors = setting.open(), people(2)
    gallery.identify_and_enroll(probe(vectors[0]), "1")
    gallery._sequencer._publish = lambda _batch, _step: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        gallery._sequencer.process([Enroll(probe(vectors[1]), "2")])
    assert setting.heads() == [1, 1, 1]
    assert gallery.verdict("2") == Identification(UNIQUE, 2)
    gallery = setting.open()
    assert gallery.identify_and_enroll(probe(vectors[1]), "2") == Identification(UNIQUE, 2)
    assert gallery.identify(probe(vectors[1])) == Identification(DUPLICATE, 2)
    assert setting.heads() == [2, 2, 2]


def test_shares_of_a_batch_that_was_never_decided_are_dropped(setting):
    gallery, vectors = setting.open(), people(2)
    gallery.identify_and_enroll(probe(vectors[0]), "1")
    gallery._sequencer._share([probe(vectors[1])])
    assert all(party._party.status().prepared for party in setting.parties)
    gallery = setting.open()
    gallery.identify(probe(vectors[1]))
    assert not any(party._party.status().prepared for party in setting.parties)


def test_a_party_that_cannot_drop_a_batch_now_drops_it_at_another_session(setting):
    gallery, vectors = setting.open(), people(2)
    gallery.identify_and_enroll(probe(vectors[0]), "1")
    gallery._sequencer._share([probe(vectors[1])])
    setting.parties[2].fails["discard"] = 0
    gallery = setting.open()
    assert gallery.identify_and_enroll(probe(vectors[1]), "2") == Identification(UNIQUE, 2)
    assert setting.parties[2]._party.status().prepared
    gallery = setting.open()
    assert gallery.identify(probe(vectors[1])) == Identification(DUPLICATE, 2)
    assert not any(party._party.status().prepared for party in setting.parties)


def test_steps_that_all_parties_took_are_not_kept(setting):
    gallery = setting.open()
    for number, vector in enumerate(people(5)):
        gallery.identify_and_enroll(probe(vector), f"{number}")
    with setting.engine.connect() as connection:
        assert len(connection.execute(select(PartyCommitRow)).all()) == 1


def test_of_two_services_the_later_one_leads_and_neither_enrols_anybody_twice(setting):
    first, vectors = setting.open(), people(4)
    first.identify_and_enroll(probe(vectors[0]), "0")
    second = setting.open()
    for number in range(1, 4):
        one, other = (second, first) if number % 2 else (first, second)
        found = one.identify_and_enroll(probe(vectors[number]), f"{number}")
        assert found == Identification(UNIQUE, number + 1)
        assert other.identify_and_enroll(probe(vectors[number]), "x" * number).decision is DUPLICATE
    assert setting.heads() == [4, 4, 4]


def test_a_service_that_was_overtaken_while_it_searched_decides_nothing(setting):
    """Both found the person new; whoever commits second has to search again."""
    first, second, (person,) = setting.open(), setting.open(), people(1)
    search = first._sequencer._match

    def overtaken(*arguments):
        match = search(*arguments)
        first._sequencer._match = search
        assert second.identify_and_enroll(probe(person), "other") == Identification(UNIQUE, 1)
        return match

    first._sequencer._match = overtaken
    assert first.identify_and_enroll(probe(person), "mine").decision is DUPLICATE
    assert len(first) == 1


@pytest.mark.parametrize(
    ("method", "lie"),
    [
        ("reached", lambda bits: ~bits),
        ("prepare", lambda digests: tuple(one._replace(second=b"?") for one in digests)),
    ],
)
def test_a_party_that_says_otherwise_stops_matching_until_it_is_looked_at(setting, method, lie):
    gallery, vectors = setting.open(), people(2)
    gallery.identify_and_enroll(probe(vectors[0]), "1")
    setting.parties[2].lies[method] = lie
    with pytest.raises(PartiesDisagree):
        gallery.identify_and_enroll(probe(vectors[1]), "2")
    with pytest.raises(PartiesDisagree):
        gallery.require_working()
    assert len(gallery) == 1
    setting.parties[2].lies.clear()
    assert gallery.identify_and_enroll(probe(vectors[1]), "2") == Identification(UNIQUE, 2)
    gallery.require_working()


def test_a_party_ahead_of_the_database_stops_matching(setting):
    gallery, vectors = setting.open(), people(3)
    gallery.identify_and_enroll(probe(vectors[0]), "1")
    gallery.close()
    backup = (setting.directory / "coordinator.db").read_bytes()
    gallery = setting.open()
    gallery.identify_and_enroll(probe(vectors[1]), "2")
    gallery.close()
    setting.engine.dispose()
    for path in setting.directory.glob("coordinator.db*"):
        path.unlink()
    (setting.directory / "coordinator.db").write_bytes(backup)
    gallery = setting.open()
    with pytest.raises(PartiesDisagree):
        gallery.identify_and_enroll(probe(vectors[2]), "3")
    assert setting.heads() == [2, 2, 2]


def test_a_database_of_one_kind_is_refused_by_a_gallery_of_the_other(setting):
    gallery, (person,) = setting.open(), people(1)
    gallery.identify_and_enroll(probe(person), "1")
    gallery.close()
    store = GalleryStore(setting.engine, Keyring(KEY))
    with pytest.raises(ModelMismatch):
        Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS)
    plain = create_engine(f"sqlite:///{setting.directory}/plain.db")
    store = GalleryStore(plain, Keyring(KEY))
    with Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS) as gallery:
        gallery.identify_and_enroll(probe(person), "1")
    with pytest.raises(ModelMismatch):
        PrivateSequencer(
            Ledger(plain, Keyring(KEY), MODEL), setting.open_parties(), MODEL, THRESHOLDS
        )


def test_a_threshold_that_nothing_could_miss_is_refused(setting):
    gallery = setting.open(Thresholds(review=-0.1, duplicate=0.5))
    with pytest.raises(InvalidThresholds):
        gallery.identify_and_enroll(probe(people(1)[0]), "1")


def test_scores_are_counted_in_large_buckets_and_not_again_soon(setting):
    sequencer = PrivateSequencer(setting.ledger(), setting.open_parties(), MODEL, THRESHOLDS)
    vectors = [rounded(vector) for vector in people(100)]
    requests = [Enroll(probe(vector), f"{i}") for i, vector in enumerate(vectors)]
    for start in range(0, 100, 20):
        sequencer.process(requests[start : start + 20])
    edges = [-1.0, 0.0, 0.3, 1.0]
    counts = sequencer.count_scores(edges)
    sample = np.stack(vectors)[np.linspace(0, 99, 32).astype(int)]
    expected, _ = np.histogram(np.minimum(sample @ np.stack(vectors).T, 0.9999), edges)
    expected[-1] -= 32  # each with itself
    np.testing.assert_array_equal(counts, np.where(expected >= 1000, expected, 0))
    assert (counts == 0).any()
    assert (counts >= 1000).any()
    with pytest.raises(PartyRefused):
        sequencer._parties.reached(10)  # of a sample nothing else is told
    with pytest.raises(PartyRefused):
        sequencer.count_scores(edges)
    sequencer.close()


def test_three_parties_are_three(setting):
    with pytest.raises(PartyUnavailable):
        Parties(setting.parties[:2], setting.seal)
