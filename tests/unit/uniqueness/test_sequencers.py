"""Two galleries on one database: whatever comes between one's search and its lock."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.unit.uniqueness.synthetic import at_cosine, people, probe
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.errors import PersonRemoved
from uniqueness.gallery import Gallery
from uniqueness.schema import TemplateRow

UNIQUE, REVIEW, DUPLICATE = Decision.UNIQUE, Decision.REVIEW, Decision.DUPLICATE


@pytest.fixture
def two(open_gallery) -> tuple[Gallery, Gallery]:
    return open_gallery(), open_gallery()


def between_search_and_lock(gallery: Gallery, happening: Callable[[], object]) -> None:
    """Let something happen once, when the gallery has searched and is about to take the lock."""
    commit = gallery._store.commit

    def commit_after_it(work, **options):
        gallery._store.commit = commit
        happening()
        return commit(work, **options)

    gallery._store.commit = commit_after_it


def test_the_same_person_enrolled_elsewhere_meanwhile_is_a_duplicate(two):
    (first, second), (person, other) = two, people(2)
    first.identify_and_enroll(probe(other), "0")
    between_search_and_lock(first, lambda: second.identify_and_enroll(probe(person), "1"))
    again = probe(at_cosine(person, 0.9))
    assert first.identify_and_enroll(again, "2") == Identification(DUPLICATE, 2)
    assert first.verdict("1") == Identification(UNIQUE, 2)
    assert second.identify(again) == first.identify(again) == Identification(DUPLICATE, 2)


def test_a_likeness_enrolled_elsewhere_meanwhile_goes_to_review(two):
    (first, second), (person,) = two, people(1)
    between_search_and_lock(first, lambda: second.identify_and_enroll(probe(person), "1"))
    likeness = probe(at_cosine(person, 0.65))
    assert first.identify_and_enroll(likeness, "2") == Identification(REVIEW, 1)


def test_one_request_decided_elsewhere_meanwhile_gets_that_answer(two, engine):
    (first, second), (person,) = two, people(1)
    between_search_and_lock(first, lambda: second.identify_and_enroll(probe(person), "1"))
    assert first.identify_and_enroll(probe(person), "1") == Identification(UNIQUE, 1)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(TemplateRow)) == 1


def test_who_is_removed_elsewhere_meanwhile_does_not_match(two):
    (first, second), (person,) = two, people(1)
    first.identify_and_enroll(probe(person), "1")
    second.identify(probe(person))
    between_search_and_lock(first, lambda: second.remove(1))
    assert first.identify_and_enroll(probe(person), "2") == Identification(UNIQUE, 2)
    with pytest.raises(PersonRemoved):
        first.remove(1)
    assert second.identify(probe(person)) == Identification(DUPLICATE, 2)


def test_who_was_enrolled_and_removed_elsewhere_meanwhile_does_not_match(two):
    (first, second), (person,) = two, people(1)

    def come_and_go():
        second.identify_and_enroll(probe(person), "1")
        second.remove(1)

    between_search_and_lock(first, come_and_go)
    assert first.identify_and_enroll(probe(person), "2") == Identification(UNIQUE, 2)
    assert first.identify(probe(person)) == Identification(DUPLICATE, 2)


def test_a_template_added_elsewhere_meanwhile_matches(two):
    (first, second), (person,) = two, people(1)
    first.identify_and_enroll(probe(person), "1")
    older = at_cosine(person, 0.5)
    between_search_and_lock(first, lambda: second.add_template(1, probe(older), "2"))
    assert first.identify_and_enroll(probe(older), "3") == Identification(DUPLICATE, 1)
    (candidate,) = first.candidates(probe(older))
    assert candidate.templates == 2


def test_who_gets_an_unlike_template_elsewhere_meanwhile_still_matches(two):
    (first, second), (person, other) = two, people(2)
    first.identify_and_enroll(probe(person), "1")
    between_search_and_lock(first, lambda: second.add_template(1, probe(other), "2"))
    again = probe(at_cosine(person, 0.9))
    assert first.identify_and_enroll(again, "3") == Identification(DUPLICATE, 1)


def test_a_removal_and_a_template_for_the_same_person_meet_in_one_order(two):
    (first, second), (person,) = two, people(1)
    first.identify_and_enroll(probe(person), "1")
    between_search_and_lock(first, lambda: second.remove(1))
    with pytest.raises(PersonRemoved):
        first.add_template(1, probe(person), "2")
    assert first.verdict("2") is None


def test_a_person_removed_at_once_by_many_is_removed_once(two):
    first = two[0]
    first.identify_and_enroll(probe(people(1)[0]), "1")

    def remove(number):
        try:
            two[number % 2].remove(1)
        except PersonRemoved:
            return "again"
        return "removed"

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(remove, range(16))) == {"removed": 1, "again": 15}
    assert len(first) == 0


def test_an_index_follows_what_the_other_did_long_before(two):
    (first, second), vectors = two, people(12)
    for number, vector in enumerate(vectors):
        first.identify_and_enroll(probe(vector), str(number))
    for person in (2, 5, 12):
        first.remove(person)
    found = [second.identify(probe(vector)).person for vector in vectors]
    assert found == [1, None, 3, 4, None, 6, 7, 8, 9, 10, 11, None]
    for gallery in two:
        gallery.identify(probe(vectors[0]))
        (index,) = gallery._sequencer._replica.indexes.values()
        assert len(index) == 9


@pytest.mark.slow
def test_processes_and_threads_accept_each_person_once(database_url, engine, open_gallery):
    """Two processes with eight threads each are sent the same 60 people in other orders."""
    count, processes = 60, 2
    command = [sys.executable, "-m", "tests.unit.uniqueness.sequencer_process", database_url]
    running = [
        subprocess.Popen(
            [*command, str(number), str(count)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for number in range(processes)
    ]
    lines = []
    for process in running:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        lines += [line.split() for line in output.splitlines()]
    assert len(lines) == 2 * processes * count
    for who in map(str, range(count)):
        answers = {tuple(rest) for other, *rest in lines if other == who}
        assert len(answers) == processes + 1  # the request that both sent got one answer
        assert Counter(decision for _, decision, _ in answers)["unique"] == 1
        assert len({person for *_, person in answers}) == 1
    gallery = open_gallery()
    assert len(gallery) == count
    vectors = people(count)
    found = {gallery.identify(probe(vector)).person for vector in vectors}
    assert found == set(range(1, count + 1))
    with engine.connect() as connection:
        sequences = connection.scalars(select(TemplateRow.sequence)).all()
    assert sorted(sequences) == list(range(1, count + 1))
