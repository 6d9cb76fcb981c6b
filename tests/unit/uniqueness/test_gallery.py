"""One gallery: decisions, retries, failures. Every test runs on SQLite and on PostgreSQL."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Barrier

import numpy as np
import pytest
from sqlalchemy import create_engine, func, select, text

from tests.unit.uniqueness.synthetic import (
    DIMENSION,
    MODEL,
    THRESHOLDS,
    at_cosine,
    people,
    probe,
    unit,
)
from uniqueness.candidates import Identification
from uniqueness.database import Writing
from uniqueness.decision import Decision
from uniqueness.errors import (
    GalleryClosed,
    GalleryUnavailable,
    InvalidTemplate,
    ModelMismatch,
    PersonRemoved,
    PersonUnknown,
    RecordCorrupted,
    WrongKey,
)
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.matching import Matching
from uniqueness.requests import Enroll
from uniqueness.schema import TemplateRow, VerdictRow
from uniqueness.sealing import Keyring
from uniqueness.sequencer import Sequencer
from uniqueness.status import PopulationWatch
from uniqueness.store import GalleryStore
from uniqueness.waiting_room import WaitingRoom

UNIQUE, REVIEW, DUPLICATE = Decision.UNIQUE, Decision.REVIEW, Decision.DUPLICATE


def count(engine, row):
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(row))


def everything_in(engine):
    """Every row of every table, to compare a database before and after."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in TemplateRow.metadata.sorted_tables
        }


def enroll_all(gallery, vectors, prefix=""):
    return [
        gallery.identify_and_enroll(probe(vector), f"{prefix}{number}")
        for number, vector in enumerate(vectors)
    ]


def test_a_new_person_is_unique_and_then_a_duplicate(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    assert gallery.identify_and_enroll(probe(person), "1") == Identification(UNIQUE, 1)
    again = probe(at_cosine(person, 0.9))
    assert gallery.identify_and_enroll(again, "2") == Identification(DUPLICATE, 1)
    assert len(gallery) == count(engine, TemplateRow) == 1


def test_a_likeness_goes_to_review_and_is_not_stored(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    enroll_all(gallery, vectors)
    likeness = probe(at_cosine(vectors[1], 0.65))
    assert gallery.identify_and_enroll(likeness, "x") == Identification(REVIEW, 2)
    assert len(gallery) == count(engine, TemplateRow) == 2


def test_a_retried_request_gets_its_first_answer(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    answers = [gallery.identify_and_enroll(probe(person), "1") for _ in range(3)]
    assert answers == [Identification(UNIQUE, 1)] * 3
    assert count(engine, VerdictRow) == 1
    assert gallery.verdict("1") == Identification(UNIQUE, 1)
    assert gallery.verdict("2") is None


def test_the_gallery_is_the_same_after_a_restart(open_gallery):
    gallery, vectors = open_gallery(), people(50)
    enroll_all(gallery, vectors)
    gallery.close()
    gallery = open_gallery()
    assert len(gallery) == 50
    assert gallery.identify_and_enroll(probe(vectors[7]), "x") == Identification(DUPLICATE, 8)
    assert gallery.identify_and_enroll(probe(vectors[7]), "7") == Identification(UNIQUE, 8)


@pytest.mark.parametrize("max_batch", [1, 3, 64])
def test_of_many_requests_of_one_person_at_once_one_is_unique(open_gallery, max_batch):
    gallery, vectors, per_person = open_gallery(max_batch=max_batch), people(20), 6
    probes = [(person, number) for number in range(per_person) for person in range(len(vectors))]
    start = Barrier(12)

    def enroll(job):
        person, number = job
        repeat = probe(at_cosine(vectors[person], 0.95, seed=number))
        return person, gallery.identify_and_enroll(repeat, f"{person}/{number}")

    with ThreadPoolExecutor(12, initializer=start.wait) as pool:
        answers = list(pool.map(enroll, probes))
    assert len(gallery) == len(vectors)
    decisions = Counter((person, found.decision) for person, found in answers)
    for person in range(len(vectors)):
        assert decisions[person, UNIQUE] == 1
        assert decisions[person, DUPLICATE] == per_person - 1
        assert len({found.person for other, found in answers if other == person}) == 1


def test_one_request_sent_many_times_at_once_is_decided_once(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda _: gallery.identify_and_enroll(probe(person), "1"), range(64))
    assert set(answers) == {Identification(UNIQUE, 1)}
    assert count(engine, TemplateRow) == count(engine, VerdictRow) == 1


def test_a_dry_run_says_the_same_and_changes_nothing(open_gallery, engine):
    gallery, vectors = open_gallery(), people(3)
    enroll_all(gallery, vectors[:2])
    before = everything_in(engine)
    assert gallery.identify(probe(vectors[2])) == Identification(UNIQUE, None)
    assert gallery.identify(probe(at_cosine(vectors[1], 0.65))) == Identification(REVIEW, 2)
    assert gallery.identify(probe(at_cosine(vectors[0], 0.9))) == Identification(DUPLICATE, 1)
    (candidate,) = gallery.candidates(probe(at_cosine(vectors[0], 0.9)))
    assert (candidate.person, candidate.templates) == (1, 1)
    assert candidate.score == candidate.mean_score == pytest.approx(0.9, abs=1e-6)
    assert everything_in(engine) == before
    assert gallery.identify_and_enroll(probe(vectors[2]), "x") == Identification(UNIQUE, 3)


def test_a_person_may_have_several_templates(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    enroll_all(gallery, vectors)
    older = at_cosine(vectors[0], 0.5)
    assert gallery.identify(probe(older)).decision is UNIQUE
    added = gallery.add_template(1, probe(older), "older")
    assert added == gallery.add_template(1, probe(older), "older") == Identification(DUPLICATE, 1)
    assert count(engine, TemplateRow) == 3
    assert len(gallery) == 2
    (candidate,) = gallery.candidates(probe(older))
    assert candidate.score == pytest.approx(1.0, abs=1e-6)
    assert candidate.mean_score == pytest.approx(0.75, abs=1e-6)
    assert candidate.templates == 2
    assert gallery.identify_and_enroll(probe(older), "x") == Identification(DUPLICATE, 1)


def test_a_removed_person_never_matches_and_the_number_is_not_given_again(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    enroll_all(gallery, vectors)
    gallery.add_template(2, probe(at_cosine(vectors[1], 0.9)), "second")
    gallery.remove(2)
    assert len(gallery) == 1
    assert gallery.identify(probe(vectors[1])) == Identification(UNIQUE, None)
    with pytest.raises(PersonRemoved):
        gallery.remove(2)
    with pytest.raises(PersonRemoved):
        gallery.add_template(2, probe(vectors[1]), "third")
    for nobody in (0, 3, -1):
        with pytest.raises(PersonUnknown):
            gallery.remove(nobody)
    assert gallery.identify_and_enroll(probe(vectors[1]), "back") == Identification(UNIQUE, 3)
    with engine.connect() as connection:
        erased = select(TemplateRow.ciphertext).where(TemplateRow.person == 2)
        assert connection.scalars(erased).all() == [None, None]


def test_who_is_near_more_people_than_were_asked_for_meets_all_of_them(open_gallery):
    gallery, (center,) = open_gallery(), people(1)
    # 40 people who are pairwise below review but all at 0.76 from one face
    crowd = [at_cosine(center, 0.76, seed=seed) for seed in range(40)]
    assert np.max(np.triu(np.stack(crowd) @ np.stack(crowd).T, 1)) < 1.0
    wide = [probe(vector) for vector in crowd]
    gallery.identify_and_enroll(wide[0], "0")
    for number, another in enumerate(wide[1:], 1):
        gallery.add_template(1, another, str(number))
    assert gallery.status().saturations == 0
    (candidate,) = gallery.candidates(probe(center))
    assert candidate.templates == 40
    assert gallery.status().saturations == 1


def test_a_failed_commit_changes_nothing_and_the_retry_succeeds(open_gallery, engine, monkeypatch):
    gallery, (person,) = open_gallery(), people(1)

    def fail(_):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(Writing, "commit", fail)
        with pytest.raises(OSError, match="disk full"):
            gallery.identify_and_enroll(probe(person), "1")
    assert len(gallery) == count(engine, TemplateRow) == 0
    assert gallery.identify_and_enroll(probe(person), "1") == Identification(UNIQUE, 1)
    assert len(gallery) == 1


def test_a_commit_that_took_but_failed_to_say_so_is_caught_up_with(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    commit = gallery._store.commit

    def commit_and_break(work, **options):
        commit(work, **options)
        raise GalleryUnavailable("connection lost")

    gallery._store.commit = commit_and_break
    with pytest.raises(GalleryUnavailable):
        gallery.identify_and_enroll(probe(vectors[0]), "1")
    gallery._store.commit = commit
    assert gallery.identify_and_enroll(probe(vectors[0]), "2") == Identification(DUPLICATE, 1)
    assert gallery.identify_and_enroll(probe(vectors[0]), "1") == Identification(UNIQUE, 1)
    assert len(gallery) == count(engine, TemplateRow) == 1


@pytest.mark.parametrize("step", ["before", "after"])
def test_an_index_that_fails_to_take_a_batch_catches_up(open_gallery, monkeypatch, step):
    gallery, vectors = open_gallery(), people(2)
    (index,) = gallery._sequencer._replica.indexes.values()
    add = index.add

    def fail(ids, batch):
        if step == "after":
            add(ids, batch)
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(index, "add", fail)
        assert gallery.identify_and_enroll(probe(vectors[0]), "1") == Identification(UNIQUE, 1)
    assert gallery.identify_and_enroll(probe(vectors[0]), "2") == Identification(DUPLICATE, 1)
    assert gallery.identify_and_enroll(probe(vectors[1]), "3") == Identification(UNIQUE, 2)
    assert len(index) == 2


def test_a_broken_database_is_a_coded_error_without_parameters(open_gallery, engine):
    gallery, (person,) = open_gallery(), people(1)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE templates"))
    with pytest.raises(GalleryUnavailable) as caught:
        gallery.identify_and_enroll(probe(person), "secret-request")
    assert caught.value.code == "gallery_unavailable"
    assert "secret-request" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_ended_is_replaced(open_gallery, engine):
    gallery, vectors = open_gallery(), people(2)
    assert gallery.identify_and_enroll(probe(vectors[0]), "0").decision is UNIQUE
    kept = gallery._store._deciding.connection.connection.dbapi_connection.info.backend_pid
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": kept})
    with pytest.raises(GalleryUnavailable):
        gallery.identify_and_enroll(probe(vectors[1]), "1")
    assert gallery.identify_and_enroll(probe(vectors[1]), "1") == Identification(UNIQUE, 2)


def test_templates_of_another_model_are_refused(open_gallery):
    gallery, (person,) = open_gallery(), people(1)
    for call in (gallery.identify, lambda p: gallery.identify_and_enroll(p, "1")):
        with pytest.raises(ModelMismatch):
            call(probe(person, model="other:1"))
    gallery.identify_and_enroll(probe(person), "1")
    gallery.close()
    with pytest.raises(ModelMismatch, match=MODEL):
        open_gallery(model="other:1")


def test_a_template_of_another_dimension_is_refused_alone(open_gallery):
    gallery = open_gallery()
    with pytest.raises(InvalidTemplate):
        gallery.identify_and_enroll(probe(unit(np.ones(DIMENSION + 1))), "1")


def test_a_gallery_opened_with_another_key_is_refused(open_gallery):
    gallery, (person,) = open_gallery(), people(1)
    gallery.identify_and_enroll(probe(person), "1")
    gallery.close()
    with pytest.raises(WrongKey):
        open_gallery(key=b"x" * 32)
    assert len(open_gallery()) == 1


def test_a_swapped_ciphertext_is_noticed(open_gallery, engine):
    gallery = open_gallery()
    enroll_all(gallery, people(2))
    gallery.close()
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE templates SET nonce = (SELECT nonce FROM templates WHERE sequence = 1), "
                "ciphertext = (SELECT ciphertext FROM templates WHERE sequence = 1)"
            )
        )
    with pytest.raises(RecordCorrupted):
        open_gallery()


@pytest.mark.parametrize("column", ["person", "sequence"])
def test_a_template_moved_to_another_person_or_number_is_noticed(open_gallery, engine, column):
    gallery = open_gallery()
    enroll_all(gallery, people(1))
    gallery.close()
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE templates SET {column} = 7"))
        connection.execute(text("UPDATE gallery_head SET last_sequence = 7, last_person = 7"))
    with pytest.raises(RecordCorrupted):
        open_gallery()


def test_a_changed_verdict_is_noticed(open_gallery, engine):
    gallery = open_gallery()
    enroll_all(gallery, people(1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE verdicts SET decision = 'duplicate'"))
    with pytest.raises(RecordCorrupted):
        gallery.verdict("0")


def test_a_closed_gallery_decides_nothing(open_gallery):
    gallery = open_gallery()
    gallery.close()
    gallery.close()
    assert not gallery.is_open
    with pytest.raises(GalleryClosed):
        gallery.identify_and_enroll(probe(people(1)[0]), "1")


@pytest.fixture
def searches(monkeypatch):
    """Hold up the searches: `began` tells each one's thread and probes, `go_on` lets it end."""
    search, began, go_on = FaissFlatIndex.search, SimpleQueue(), SimpleQueue()

    def held_up(index, probes, k, *, floor):
        began.put((threading.current_thread().name, len(probes)))
        go_on.get(timeout=10)
        return search(index, probes, k, floor=floor)

    monkeypatch.setattr(FaissFlatIndex, "search", held_up)
    return began, go_on


def test_who_comes_alone_is_decided_at_once_and_all_others_together(open_gallery, searches):
    gallery, vectors, (began, go_on) = open_gallery(), people(5), searches
    with ThreadPoolExecutor(5, "caller") as pool:

        def send(number):
            return pool.submit(gallery.identify_and_enroll, probe(vectors[number]), str(number))

        first = send(0)
        assert began.get(timeout=10) == ("caller_0", 1)
        others = [send(number) for number in range(1, 5)]
        while gallery._room._queue.qsize() < 3:  # the owner thread took one, and waits
            time.sleep(0.001)
        go_on.put(None)
        assert first.result() == Identification(UNIQUE, 1)
        assert began.get(timeout=10) == ("gallery-owner", 4)
        go_on.put(None)
        assert [other.result().decision for other in others] == [UNIQUE] * 4


def test_nobody_goes_before_who_waits_for_the_owner_thread(sqlite_engine):
    """The owner thread may have taken a request from the queue, and not have its turn yet."""
    store, vectors = GalleryStore(sqlite_engine, Keyring(b"k" * 32)), people(2)
    sequencer = Sequencer(store, [Matching({MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS)])
    room = WaitingRoom(sequencer, PopulationWatch(THRESHOLDS), 8)
    with ThreadPoolExecutor(2) as pool:
        with room._owned:
            first = pool.submit(room.ask, Enroll(probe(vectors[0]), "1"))
            taken = room._queue.get(timeout=10)
        second = pool.submit(room.ask, Enroll(probe(vectors[1]), "2"))
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        waiting = room._queue.get(timeout=10)
        room._queue.put(taken)
        room._queue.put(waiting)
        room.start()
        assert first.result(timeout=10) == Identification(UNIQUE, 1)
        assert second.result(timeout=10) == Identification(UNIQUE, 2)
    assert room._waiting == 0
    room.close()


def test_closing_waits_for_who_is_being_decided(open_gallery, searches):
    gallery, (person,), (began, go_on) = open_gallery(), people(1), searches
    with ThreadPoolExecutor(2) as pool:
        decided = pool.submit(gallery.identify_and_enroll, probe(person), "1")
        began.get(timeout=10)
        closed = pool.submit(gallery.close)
        with pytest.raises(TimeoutError):
            closed.result(timeout=0.1)
        go_on.put(None)
        assert decided.result() == Identification(UNIQUE, 1)
        closed.result()
    with pytest.raises(GalleryClosed):
        gallery.identify_and_enroll(probe(person), "2")


@pytest.mark.parametrize("step", ["search", "add"])
def test_a_caller_who_is_interrupted_leaves_a_gallery_that_decides(open_gallery, step):
    gallery, vectors = open_gallery(), people(2)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(FaissFlatIndex, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            gallery.identify_and_enroll(probe(vectors[0]), "1")
    assert gallery.identify_and_enroll(probe(vectors[0]), "1") == Identification(UNIQUE, 1)
    assert gallery.identify_and_enroll(probe(vectors[0]), "2") == Identification(DUPLICATE, 1)
    assert gallery.identify_and_enroll(probe(vectors[1]), "3") == Identification(UNIQUE, 2)


@pytest.mark.parametrize(
    ("requests", "is_hasty"), [([True], True), ([True, True], True), ([True, False], False)]
)
def test_a_batch_waits_for_the_disk_unless_nobody_asks_it_to(engine, requests, is_hasty):
    store = GalleryStore(engine, Keyring(b"k" * 32))
    index = FaissFlatIndex(DIMENSION)
    sequencer = Sequencer(store, [Matching({MODEL: index}, THRESHOLDS)])
    asked = []
    commit = store.commit
    store.commit = lambda work, **options: asked.append(options) or commit(work, **options)
    sequencer.process(
        [
            Enroll(probe(vector), str(number), hasty=hasty)
            for number, (vector, hasty) in enumerate(zip(people(2), requests, strict=False))
        ]
    )
    assert asked == [{"hasty": is_hasty}]
    sequencer.close()


def test_commits_are_durable(sqlite_engine):
    GalleryStore(sqlite_engine, Keyring(b"k" * 32))
    with sqlite_engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2


def test_no_template_lies_in_the_files_in_clear(open_gallery, tmp_path: Path, engine):
    gallery, (person,) = open_gallery(), people(1)
    gallery.identify_and_enroll(probe(person), "1")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    if engine.dialect.name == "sqlite":
        assert b"synthetic:1" in content
    assert person.tobytes()[:16] not in content


def test_vectors_are_read_by_their_numbers(open_gallery):
    gallery, vectors = open_gallery(), people(5)
    enroll_all(gallery, vectors)
    gallery.remove(3)
    found = gallery._store.vectors_of(np.array([5, 3, 1], np.int64), DIMENSION)
    np.testing.assert_array_equal(found, [vectors[4], np.zeros(DIMENSION), vectors[0]])


def test_two_processes_may_make_the_tables_at_once(database_url):
    def make(_):
        engine = create_engine(database_url)
        head = GalleryStore(engine, Keyring(b"k" * 32)).head()
        engine.dispose()
        return head

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(8))) == {(0, 0, 0)}
