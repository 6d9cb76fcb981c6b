"""Two galleries on one database against a dictionary: any order of requests, restarts and retries.

The model is a plain list of vectors for each person, compared one by one.
"""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import create_engine

from tests.postgres import empty_schema
from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, at_cosine, people, probe
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.errors import PersonRemoved, PersonUnknown
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

FACES = people(12)
REPEATS = st.sampled_from([1.0, 0.9, 0.65, 0.5])  # duplicate, duplicate, review, unique
WHICH = st.sampled_from([0, 1])
FACE = st.integers(0, len(FACES) - 1)


class GalleryMachine(RuleBasedStateMachine):
    """Enrols, identifies, adds, removes and restarts, and knows what must come of it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.engine = create_engine(url)
        self.galleries = [self.open(), self.open()]
        self.enrolled: dict[int, list[np.ndarray]] = {}
        self.removed: set[int] = set()
        self.answers: dict[str, Identification] = {}

    def open(self) -> Gallery:
        store = GalleryStore(self.engine, Keyring(b"k" * 32))
        return Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS)

    def teardown(self) -> None:
        for gallery in self.galleries:
            gallery.close()
        self.engine.dispose()
        self.stack.close()

    def expected(self, vector: np.ndarray) -> Identification:
        scores = {
            person: max(float(vector @ template) for template in templates)
            for person, templates in self.enrolled.items()
        }
        if not scores:
            return Identification(Decision.UNIQUE, None)
        nearest = max(scores, key=lambda person: scores[person])
        decision = THRESHOLDS.decide(scores[nearest])
        return Identification(decision, None if decision is Decision.UNIQUE else nearest)

    @rule(which=WHICH, face=FACE, cosine=REPEATS, seed=st.integers(0, 3))
    def enroll(self, which: int, face: int, cosine: float, seed: int) -> None:
        vector, request_id = at_cosine(FACES[face], cosine, seed), str(len(self.answers))
        expected = self.expected(vector)
        if expected.decision is Decision.UNIQUE:
            expected = Identification(Decision.UNIQUE, len(self.enrolled) + len(self.removed) + 1)
            self.enrolled[expected.person] = [vector]
        found = self.galleries[which].identify_and_enroll(probe(vector), request_id)
        assert found == expected
        self.answers[request_id] = found

    @rule(which=WHICH, face=FACE, cosine=REPEATS)
    def identify(self, which: int, face: int, cosine: float) -> None:
        vector = at_cosine(FACES[face], cosine, seed=7)
        assert self.galleries[which].identify(probe(vector)) == self.expected(vector)

    @precondition(lambda self: self.answers)
    @rule(which=WHICH, data=st.data(), face=FACE)
    def retry(self, which: int, data: st.DataObject, face: int) -> None:
        request_id = data.draw(st.sampled_from(sorted(self.answers)))
        again = self.galleries[which].identify_and_enroll(probe(FACES[face]), request_id)
        assert again == self.answers[request_id]
        assert self.galleries[which].verdict(request_id) == again

    @rule(which=WHICH, person=st.integers(0, 8), face=FACE)
    def add_template(self, which: int, person: int, face: int) -> None:
        vector, request_id = at_cosine(FACES[face], 0.5, seed=8), str(len(self.answers))
        gallery = self.galleries[which]
        if refusal := self.refusal(person):
            with pytest.raises(refusal):
                gallery.add_template(person, probe(vector), request_id)
            return
        found = gallery.add_template(person, probe(vector), request_id)
        assert found == Identification(Decision.DUPLICATE, person)
        self.enrolled[person].append(vector)
        self.answers[request_id] = found

    @rule(which=WHICH, person=st.integers(0, 8))
    def remove(self, which: int, person: int) -> None:
        if refusal := self.refusal(person):
            with pytest.raises(refusal):
                self.galleries[which].remove(person)
            return
        self.galleries[which].remove(person)
        del self.enrolled[person]
        self.removed.add(person)

    @rule(which=WHICH)
    def restart(self, which: int) -> None:
        self.galleries[which].close()
        self.galleries[which] = self.open()

    @invariant()
    def both_count_the_same_people(self) -> None:
        assert {len(gallery) for gallery in self.galleries} == {len(self.enrolled)}

    def refusal(self, person: int) -> type[Exception] | None:
        if person in self.removed:
            return PersonRemoved
        return None if person in self.enrolled else PersonUnknown


class OnSqlite(GalleryMachine):
    def __init__(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="personhood-gallery-"))
        super().__init__(f"sqlite:///{directory}/gallery.db")
        self.stack.callback(shutil.rmtree, directory)


QUICK = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.slow
def test_two_galleries_are_one_on_sqlite() -> None:
    run_state_machine_as_test(OnSqlite, settings=QUICK)


@pytest.mark.slow
def test_two_galleries_are_one_on_postgresql(postgres_url: str) -> None:
    class OnPostgres(GalleryMachine):
        def __init__(self) -> None:
            with ExitStack() as schema:
                url = schema.enter_context(empty_schema(postgres_url))
                super().__init__(url)
                self.stack.push(schema.pop_all())

    run_state_machine_as_test(OnPostgres, settings=QUICK)
