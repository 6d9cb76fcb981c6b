"""Several models a probe: fused, or one of them being retired."""

from contextlib import ExitStack

import pytest

from tests.unit.uniqueness.synthetic import DIMENSION, THRESHOLDS, at_cosine, people, template
from uniqueness.audit import AuditReport
from uniqueness.candidates import Identification
from uniqueness.decision import Decision, Thresholds
from uniqueness.errors import InvalidTemplate, ModelMismatch
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.fusion import Fusion, Rule
from uniqueness.gallery import Gallery
from uniqueness.llr import LlrMap
from uniqueness.matching import Matching
from uniqueness.requests import AddTemplate, Enroll, Identify, Remove
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import Probe

UNIQUE, REVIEW, DUPLICATE = Decision.UNIQUE, Decision.REVIEW, Decision.DUPLICATE
A, B = "a:1", "b:1"
MAP = LlrMap(slope=20.0, offset=-8.0)  # a cosine of 0.4 says nothing, 0.9 is 10
FUSED = Thresholds(review=6.0, duplicate=10.0)


@pytest.fixture
def open_with(engine):
    """Open the gallery of `engine` with some models."""
    with ExitStack() as stack:

        def open_it(*models, policy=THRESHOLDS, **options):
            indexes = {model: FaissFlatIndex(DIMENSION) for model in models}
            store = GalleryStore(engine, Keyring(b"k" * 32))
            return stack.enter_context(Gallery.open(store, indexes, policy, **options))

        yield open_it


@pytest.fixture
def fused(open_with):
    def open_it(rule=Rule.SUM, **options):
        fusion = Fusion((A, B), (MAP, MAP), rule)
        return open_with(A, B, policy=FUSED, fusion=fusion, **options)

    return open_it


def both(a, b) -> Probe:
    return Probe((template(a, A), template(b, B)))


def retiring(model, policy=THRESHOLDS) -> Matching:
    return Matching({model: FaissFlatIndex(DIMENSION)}, policy)


def test_evidence_of_two_models_adds_up(fused):
    gallery, (a, b, other) = fused(), people(3)
    assert gallery.identify_and_enroll(both(a, b), "1") == Identification(UNIQUE, 1)
    # 3 and 4 of log-likelihood ratio: neither would do alone, together they are 7.
    weak = both(at_cosine(a, 0.55), at_cosine(b, 0.6))
    assert gallery.identify(weak) == Identification(REVIEW, 1)
    (candidate,) = gallery.candidates(weak)
    assert candidate.score == pytest.approx(7.0, abs=1e-4)
    assert candidate.templates == 2
    strong = both(at_cosine(a, 0.85), at_cosine(b, 0.6))
    assert gallery.identify_and_enroll(strong, "2") == Identification(DUPLICATE, 1)
    # One model is sure, the other as sure of the contrary: that is no evidence.
    assert gallery.identify(both(at_cosine(a, 0.85), other)).decision is UNIQUE


def test_two_of_one_person_in_one_batch_are_compared_by_all_models(fused):
    gallery, (a, b) = fused(), people(2)
    answers = gallery._sequencer.process(
        [
            Enroll(both(a, b), "1"),
            Enroll(both(at_cosine(a, 0.85), at_cosine(b, 0.6)), "2"),
            Enroll(both(a, b), "1"),
        ]
    )
    assert answers == [Identification(UNIQUE, 1), Identification(DUPLICATE, 1), answers[0]]


def test_a_batch_of_everything_is_answered_as_if_in_some_order(fused):
    gallery, (a, b, c, d) = fused(), people(4)
    gallery._sequencer.process([Enroll(both(a, b), "1"), Enroll(both(c, d), "2")])
    back, added, again, gone, looked = gallery._sequencer.process(
        [
            Enroll(both(a, b), "3"),
            AddTemplate(2, both(b, a), "4"),
            AddTemplate(2, both(b, a), "4"),
            Remove(1),
            Identify(both(b, a)),
        ]
    )
    assert back == Identification(UNIQUE, 3)
    assert added == again == looked.identification == Identification(DUPLICATE, 2)
    assert gone is None
    assert gallery.status().templates == {A: 3, B: 3}


@pytest.mark.parametrize("rule", [Rule.ANY, Rule.ALL])
def test_any_takes_one_model_and_all_takes_both(fused, rule):
    gallery, (a, b, other) = fused(rule), people(3)
    gallery.identify_and_enroll(both(a, b), "1")
    expected = DUPLICATE if rule is Rule.ANY else UNIQUE
    assert gallery.identify(both(at_cosine(a, 0.95), other)).decision is expected
    assert gallery.identify(both(at_cosine(a, 0.95), at_cosine(b, 0.95))).decision is DUPLICATE


def test_a_probe_without_one_of_the_models_is_refused(fused):
    gallery, (a, b) = fused(), people(2)
    for models in (Probe((template(a, A),)), Probe((template(a, A), template(b, "c:1")))):
        with pytest.raises(ModelMismatch):
            gallery.identify_and_enroll(models, "1")
    with pytest.raises(InvalidTemplate):
        Probe((template(a, A), template(b, A)))


def test_a_person_without_a_template_of_one_model_is_matched_by_the_other(open_with, fused):
    first, (a, b) = open_with(A), people(2)
    first.identify_and_enroll(Probe((template(a, A),)), "1")
    first.close()
    gallery = fused()
    assert gallery.identify(both(at_cosine(a, 0.95), b)) == Identification(DUPLICATE, 1)
    assert gallery.add_template(1, Probe((template(b, B),)), "2").person == 1
    (candidate,) = gallery.candidates(both(at_cosine(a, 0.95), at_cosine(b, 0.95)))
    assert candidate.score == pytest.approx(22.0, abs=1e-4)
    assert gallery.status().people_by_models == {f"{A} + {B}": 1}


def test_where_all_must_agree_nobody_may_lack_a_model(open_with, fused):
    first, (a,) = open_with(A), people(1)
    first.identify_and_enroll(Probe((template(a, A),)), "1")
    first.close()
    with pytest.raises(ModelMismatch, match="retire"):
        fused(Rule.ALL)
    assert len(fused(Rule.ANY)) == 1


def test_models_that_do_not_fit_together_are_refused(open_with):
    with pytest.raises(ModelMismatch):
        open_with(A, B)
    with pytest.raises(ModelMismatch):
        open_with(A, fusion=Fusion((A, B), (MAP, MAP), Rule.SUM))
    with pytest.raises(ModelMismatch):
        open_with(A, retiring=retiring(A))


def test_people_move_to_a_new_model_as_they_return(open_with, engine):
    old, vectors, anew = open_with(A), people(4), people(4, seed=5)
    for number, vector in enumerate(vectors[:3]):
        old.identify_and_enroll(Probe((template(vector, A),)), str(number))
    old.close()
    with pytest.raises(ModelMismatch):
        open_with(B)

    gallery = open_with(B, retiring=retiring(A))
    assert gallery.models == (B, A)
    assert gallery.status().people_by_models == {A: 3}
    # A likeness is not enough to be given a template; a match by the old model is.
    doubtful = both(at_cosine(vectors[1], 0.65), anew[1])
    assert gallery.identify_and_enroll(doubtful, "doubt") == Identification(REVIEW, 2)
    back = both(at_cosine(vectors[0], 0.9), anew[0])
    assert gallery.identify_and_enroll(back, "back") == Identification(DUPLICATE, 1)
    assert gallery.identify_and_enroll(both(vectors[3], anew[3]), "new").decision is UNIQUE
    moved = {A: 2, f"{A} + {B}": 1, B: 1}
    assert gallery.status().people_by_models == moved
    assert gallery.status().templates == {A: 3, B: 2}
    assert AuditReport.read(engine).people_by_models == moved
    assert f"{A} + {B}" in AuditReport.read(engine).to_text()

    # Who has a template of the new model is judged by it, whatever the old one says.
    later = both(people(1, seed=9)[0], at_cosine(anew[0], 0.9))
    assert gallery.identify(later) == Identification(DUPLICATE, 1)
    assert gallery.identify(both(vectors[0], people(1, seed=9)[0])).decision is UNIQUE
    assert gallery.identify(both(vectors[2], anew[0])) == Identification(DUPLICATE, 1)

    gallery.remove(2)
    gallery.close()
    with pytest.raises(ModelMismatch):
        open_with(B)  # one person was not back yet
    gallery = open_with(B, retiring=retiring(A))
    gallery.remove(3)
    gallery.close()
    gallery = open_with(B)
    assert gallery.identify(Probe((template(anew[0], B),))) == Identification(DUPLICATE, 1)


def test_a_process_with_other_models_on_the_same_database_stops_deciding(open_with):
    old, vectors = open_with(A), people(3)
    new = open_with(B, retiring=retiring(A))
    new.identify_and_enroll(both(vectors[0], vectors[1]), "1")
    for call in (old.identify, lambda p: old.identify_and_enroll(p, "2")):
        with pytest.raises(ModelMismatch, match="another process"):
            call(Probe((template(vectors[2], A),)))
    assert new.verdict("2") is None


def test_a_process_that_learns_of_other_models_under_the_lock_decides_nothing(open_with):
    old, vectors = open_with(A), people(2)
    new, commit = open_with(B, retiring=retiring(A)), old._store.commit

    def commit_after_the_other(work, **options):
        new.identify_and_enroll(both(*vectors), "1")
        return commit(work, **options)

    old._store.commit = commit_after_the_other
    with pytest.raises(ModelMismatch, match="another process"):
        old.identify_and_enroll(Probe((template(vectors[0], A),)), "2")
    assert len(old) == 1


def test_two_matchings_share_the_index_of_a_model(open_with, fused):
    first, (a,) = open_with(A), people(1)
    first.identify_and_enroll(Probe((template(a, A),)), "1")
    first.close()
    with pytest.raises(ModelMismatch, match="same"):
        fused(Rule.ALL, retiring=retiring(A))


def test_the_operator_is_warned_once_before_and_once_beyond_the_safe_population(
    open_gallery, caplog
):
    from tests.unit.uniqueness.synthetic import probe

    class SafeUpTo(Thresholds):
        @property
        def safe_population(self):
            return 5

    gallery = open_gallery(thresholds=SafeUpTo(0.6, 0.7))
    states = []
    for number, vector in enumerate(people(8)):
        gallery.identify_and_enroll(probe(vector), str(number))
        status = gallery.status()
        states.append((status.near_safe_population, status.beyond_safe_population))
    assert states == [(False, False)] * 3 + [(True, False)] * 2 + [(True, True)] * 3
    gallery.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "prepare" in caplog.messages[0]
    assert "review" in caplog.messages[1]
