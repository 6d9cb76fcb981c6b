"""The compact index where its sketch works: thousands of templates, mates at the floor itself."""

from statistics import NormalDist

import numpy as np
import pytest

from tests.unit.uniqueness.recorded_index import Database, RecordedCompactIndex
from tests.unit.uniqueness.synthetic import unit
from uniqueness.errors import InvalidIndexState
from uniqueness.faiss_sketch import Sketch
from uniqueness.int8_codes import Int8Codes

SIZE = 20_000
MATES = 300
FLOOR = 0.4


def strangers(count, dimension, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(count, dimension)))


def mates_at(vectors, cosine, seed=5):
    noise = strangers(len(vectors), vectors.shape[1], seed)
    noise -= np.sum(noise * vectors, axis=1, keepdims=True) * vectors
    return unit(cosine * vectors + np.sqrt(1 - cosine**2) * unit(noise))


def compact(vectors):
    database = Database()
    index = RecordedCompactIndex(vectors.shape[1], database)
    index.add(np.arange(len(vectors), dtype=np.int64), vectors)
    return index, database


@pytest.mark.parametrize("dimension", [128, 200, 512])
def test_no_mate_at_the_floor_is_lost_and_few_templates_are_opened(dimension):
    vectors = strangers(SIZE, dimension)
    index, database = compact(vectors)
    probes = mates_at(vectors[:MATES], FLOOR + 1e-6)
    found = index.search(probes, k=5, floor=FLOOR)
    assert (found.ids == np.arange(MATES)[:, None]).any(axis=1).all()
    hits = index.search_range(probes, FLOOR)
    expected = np.argwhere(probes @ vectors.T >= FLOOR)
    assert {*zip(hits.probes, hits.ids, strict=True)} == {*map(tuple, expected)}
    assert database.opened < 3 * 2 * MATES


def test_vectors_of_few_large_values_are_found_too():
    """The rotation makes any vector a Gaussian one: the error does not depend on the people."""
    vectors = np.zeros((SIZE, 512), np.float32)
    places = np.random.default_rng(0).permuted(np.tile(np.arange(512), (SIZE, 1)), axis=1)[:, :5]
    np.put_along_axis(vectors, places, np.float32(np.sqrt(0.2)), axis=1)
    index, _ = compact(vectors)
    probes = mates_at(vectors[:200], FLOOR + 1e-6)
    found = index.search(probes, k=5, floor=FLOOR)
    exact = np.take_along_axis(probes @ vectors.T, np.arange(200)[:, None], axis=1)[:, 0]
    assert (found.best_scores() >= exact - 1e-6).all()


@pytest.mark.parametrize("dimension", [128, 512])
def test_the_error_of_a_sketch_is_within_what_its_guard_counts_on(dimension):
    """With 3 standard deviations left of the guard's 5.5, as many pass as of a normal variable."""
    sketch = Sketch(dimension)
    vectors = strangers(SIZE, sketch.width)
    sketch.add(vectors)
    slope = (sketch.cut(1.0) - sketch.cut(0.0)) / 1.0
    passing = sketch.near(mates_at(vectors[:2_000], FLOOR), FLOOR + 2.5 * sketch.spread / slope)
    lost = [mate for mate, rows in enumerate(passing) if rows is None or mate not in rows]
    assert len(lost) <= 2_000 * NormalDist().cdf(-3) + 9


def test_the_error_of_a_code_stays_within_its_guard():
    vectors, probes = strangers(2_000, 128), strangers(50, 128, seed=1)
    vectors[0] = np.eye(128)[0]  # most of it is clipped
    codes = Int8Codes(128)
    codes.add(vectors)
    rows = np.arange(2_000)
    for probe in [*probes, vectors[0]]:
        error = np.abs(codes.scores(probe, rows) - vectors @ probe)
        assert error.max() <= codes.guard


def test_a_removed_template_is_overwritten_before_the_index_is_rewritten():
    index, _ = compact(strangers(SIZE, 128))
    index.remove(np.array([3, 70], np.int64))
    assert not index._codes.blocks()[0][[3, 70]].any()
    assert len(index._codes) == SIZE
    index.remove(np.arange(2_000, dtype=np.int64))
    assert len(index._codes) == len(index) == SIZE - 2_000


def test_a_rewritten_index_finds_who_is_left():
    vectors = strangers(SIZE, 128)
    index, _ = compact(vectors)
    index.remove(np.arange(0, SIZE, 2, dtype=np.int64))
    found = index.search(mates_at(vectors[:200], 0.7), k=1, floor=0.6)
    assert (found.ids[1::2, 0] == np.arange(1, 200, 2)).all()
    assert (found.ids[::2] == -1).all()


def test_a_template_that_the_database_lost_does_not_match():
    vectors = strangers(100, 128)
    index, database = compact(vectors)
    database.lose(7)
    assert index.search(vectors[7:8], k=1, floor=0.9).ids.tolist() == [[-1]]
    assert 7 not in index.search_range(vectors[7:8], -0.5).ids


@pytest.mark.parametrize("harm", ["sketches", "dimension", "codes", "ids"])
def test_a_compact_state_that_does_not_fit_is_refused(harm):
    index, _ = compact(strangers(300, 128))
    state = {name: array.copy() for name, array in index.state().items()}
    if harm == "sketches":
        state["sketches"] = state["sketches"][:100]
    elif harm == "dimension":
        state = compact(strangers(300, 256))[0].state()
    elif harm == "codes":
        state["codes.0"] = state["codes.0"][:-1]
    else:
        state["ids"] = state["ids"].astype(np.int32)
    with pytest.raises(InvalidIndexState):
        index.restore(state)
