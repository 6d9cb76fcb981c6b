"""Whom adjudicators told apart: enrolled despite the likeness, once, and despite nobody else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.uniqueness.synthetic import at_cosine, people, probe
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.gallery import Gallery

UNIQUE, REVIEW, DUPLICATE = Decision.UNIQUE, Decision.REVIEW, Decision.DUPLICATE
ROOT = Path(__file__).parents[3]


@pytest.fixture
def likeness(open_gallery):
    """A gallery with person 1 in it, and somebody like that person who was sent to review."""
    gallery, (person,) = open_gallery(), people(1)
    gallery.identify_and_enroll(probe(person), "1")
    like = probe(at_cosine(person, 0.65))
    assert gallery.identify_and_enroll(like, "2") == Identification(REVIEW, 1)
    return gallery, like, person


def test_who_was_told_apart_is_enrolled_and_found_again(likeness):
    gallery, like, person = likeness
    assert gallery.identify_and_enroll(like, "2/decided", despite=[1]) == Identification(UNIQUE, 2)
    assert gallery.identify(like) == Identification(DUPLICATE, 2)
    assert gallery.identify(probe(person)) == Identification(DUPLICATE, 1)
    assert len(gallery) == 2


def test_the_same_decision_again_enrols_nobody_more(likeness):
    gallery, like, _ = likeness
    answers = {gallery.identify_and_enroll(like, "2/decided", despite=[1]) for _ in range(3)}
    assert answers == {Identification(UNIQUE, 2)}
    assert gallery.identify_and_enroll(like, "3", despite=[1]) == Identification(DUPLICATE, 2)


def test_an_answer_that_was_given_stands(likeness):
    gallery, like, _ = likeness
    assert gallery.identify_and_enroll(like, "2", despite=[1]) == Identification(REVIEW, 1)
    assert len(gallery) == 1


def test_somebody_else_who_is_like_it_counts(likeness):
    gallery, like, _ = likeness
    (vector,) = (template.vector for template in like.templates)
    third = probe(at_cosine(vector, 0.95, seed=7))
    gallery.identify_and_enroll(third, "3", despite=[1])
    assert gallery.identify_and_enroll(like, "2/decided", despite=[1]) == Identification(
        DUPLICATE, 2
    )


def test_who_came_between_search_and_lock_counts(open_gallery):
    first, second, (person,) = open_gallery(), open_gallery(), people(1)
    first.identify_and_enroll(probe(person), "1")
    like = at_cosine(person, 0.65)
    commit = first._store.commit

    def commit_after_another(work, **options):
        first._store.commit = commit
        second.identify_and_enroll(probe(like), "other", despite=[1])
        return commit(work, **options)

    first._store.commit = commit_after_another
    found = first.identify_and_enroll(probe(like), "2/decided", despite=[1])
    assert found == Identification(DUPLICATE, 2)


def test_others_of_the_batch_are_judged_without_it(likeness):
    """What one probe is told apart from, another one of the same batch is not."""
    gallery, like, person = likeness
    (vector,) = (template.vector for template in like.templates)
    sequencer = gallery._sequencer
    gallery.close()
    from uniqueness.requests import Enroll

    twin = probe(at_cosine(vector, 0.9, seed=3))
    again = probe(at_cosine(person, 0.9, seed=4))
    answers = sequencer.process(
        [
            Enroll(like, "a", frozenset([1])),
            Enroll(twin, "b", frozenset([1])),
            Enroll(again, "c"),
        ]
    )
    assert answers == [
        Identification(UNIQUE, 2),
        Identification(DUPLICATE, 2),
        Identification(DUPLICATE, 1),
    ]


@pytest.mark.slow
def test_two_processes_that_carry_out_one_decision_enrol_once(open_gallery, database_url):
    vectors = people(6)
    gallery: Gallery = open_gallery()
    for number, vector in enumerate(vectors):
        gallery.identify_and_enroll(probe(vector), f"first/{number}")
    command = [sys.executable, "-m", "tests.unit.uniqueness.despite_process", database_url]
    workers = [
        subprocess.Popen([*command, str(number)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    told = [worker.communicate()[0].split("\n") for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(told[0]) == sorted(told[1])  # one decision, one answer, in both
    assert all(" unique " in line for line in told[0] if line)
    assert len(gallery) == 2 * len(vectors)
