"""One suite for every implementation of `GalleryIndex`, against the exact oracle."""

from contextlib import nullcontext

import numpy as np
import pytest

from tests.unit.uniqueness.milvus_engine import milvus_collection
from tests.unit.uniqueness.recorded_index import (
    Database,
    RecordedCompactIndex,
    RecordedFloat16Index,
    RecordedInt8Index,
)
from tests.unit.uniqueness.synthetic import DIMENSION, at_cosine, people
from uniqueness.errors import InvalidIndexState
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.index import Hits, NumpyIndex

ROUNDING = 1e-5  # of float32 inner products, added in different orders


def over_a_database(kind):
    database = Database()
    return nullcontext(lambda: kind(DIMENSION, database))


KINDS = {
    "numpy": lambda: nullcontext(lambda: NumpyIndex(DIMENSION)),
    "flat": lambda: nullcontext(lambda: FaissFlatIndex(DIMENSION)),
    "compact": lambda: over_a_database(RecordedCompactIndex),
    "float16": lambda: over_a_database(RecordedFloat16Index),
    "int8": lambda: over_a_database(RecordedInt8Index),
    "milvus": lambda: milvus_collection(DIMENSION),
}
SLOW = {"milvus"}


@pytest.fixture(
    params=[pytest.param(k, marks=pytest.mark.slow if k in SLOW else ()) for k in KINDS]
)
def new_index(request):
    """Make indexes over one database; those of an engine outside are one and the same."""
    with KINDS[request.param]() as make:
        yield make


@pytest.fixture
def index(new_index):
    return new_index()


def ids_of(*numbers):
    return np.array(numbers, np.int64)


def test_an_empty_index_has_no_candidates(index):
    candidates = index.search(people(3), k=5)
    assert candidates.scores.shape == candidates.ids.shape == (3, 5)
    assert np.isneginf(candidates.scores).all()
    assert (candidates.ids == -1).all()
    assert np.isneginf(candidates.best_scores()).all()
    assert len(index.search_range(people(3), -1.0).ids) == 0
    assert (len(index), index.dimension) == (0, DIMENSION)


def test_it_finds_what_the_scores_say_in_the_order_they_say(index):
    vectors, probes = people(500), people(20, seed=1)
    ids = np.arange(500, dtype=np.int64) * 7 + 3
    index.add(ids[:200], vectors[:200])
    index.add(ids[200:], vectors[200:])
    candidates = index.search(probes, k=10)
    scores = probes @ vectors.T
    expected = np.argsort(-scores, axis=1)[:, :10]
    assert (candidates.ids == ids[expected]).all()
    np.testing.assert_allclose(
        candidates.scores, np.take_along_axis(scores, expected, axis=1), atol=ROUNDING
    )
    assert len(index) == 500


@pytest.mark.parametrize(
    ("floor", "probe_count"), [(-1.0, 1), (0.0, 3), (0.2, 1), (0.35, 70), (0.9, 3)]
)
def test_a_range_search_finds_all_at_the_floor_and_nobody_below(index, floor, probe_count):
    vectors, probes = people(1000), people(probe_count, seed=1)
    ids = np.arange(1000, dtype=np.int64) + 10
    index.add(ids, vectors)
    hits = index.search_range(probes, floor)
    scores = probes @ vectors.T
    found = set(zip(hits.probes.tolist(), hits.ids.tolist(), strict=True))
    assert found >= {(p, ids[i]) for p, i in np.argwhere(scores > floor + ROUNDING)}
    assert found <= {(p, ids[i]) for p, i in np.argwhere(scores > floor - ROUNDING)}
    np.testing.assert_allclose(hits.scores, scores[hits.probes, hits.ids - 10], atol=ROUNDING)
    ranked = Hits.ranked(hits.probes, hits.ids, hits.scores)
    assert (hits.ids == ranked.ids).all()
    assert len(found) == len(hits.ids)


@pytest.mark.parametrize("floor", [0.2, 0.5])
def test_a_search_with_a_floor_misses_nobody_above_it(index, floor):
    vectors = people(1000)
    probes = np.stack(
        [
            at_cosine(v, c, seed=i)
            for i, (v, c) in enumerate(zip(vectors[:40], np.linspace(0.3, 0.99, 40), strict=True))
        ]
    )
    index.add(np.arange(1000, dtype=np.int64), vectors)
    scores = probes @ vectors.T
    candidates = index.search(probes, k=3, floor=floor)
    for row, expected in enumerate(np.argsort(-scores, axis=1)[:, :3]):
        above = [i for i in expected if scores[row, i] > floor + ROUNDING]
        assert candidates.ids[row, : len(above)].tolist() == above
        found = candidates.ids[row] >= 0
        np.testing.assert_allclose(
            candidates.scores[row, found], scores[row, candidates.ids[row, found]], atol=ROUNDING
        )


def test_k_beyond_the_size_is_padded(index):
    index.add(ids_of(4, 5), people(2))
    candidates = index.search(people(1), k=4)
    assert candidates.ids.tolist() == [[4, 5, -1, -1]]
    assert candidates.scores[0, 0] == pytest.approx(1.0, abs=ROUNDING)
    assert np.isneginf(candidates.scores[0, 2:]).all()


def test_the_removed_never_match_and_the_others_still_do(index):
    vectors = people(300)
    ids = np.arange(300, dtype=np.int64) + 1000
    index.add(ids, vectors)
    gone = ids[::3]
    index.remove(np.concatenate([gone, ids_of(7, 999_999)]))
    index.remove(gone)
    assert len(index) == 200
    candidates = index.search(vectors, k=1, floor=0.9)
    kept = ~np.isin(ids, gone)
    assert (candidates.ids[kept, 0] == ids[kept]).all()
    assert not np.isin(candidates.ids, gone).any()
    assert set(index.search_range(vectors, 0.9).ids.tolist()) == set(ids[kept].tolist())


def test_it_grows_after_a_removal(index):
    index.add(np.arange(50, dtype=np.int64), people(50))
    index.remove(np.arange(50, dtype=np.int64))
    assert len(index) == 0
    index.add(ids_of(50), people(1, seed=9))
    assert index.search(people(1, seed=9), k=1).ids.tolist() == [[50]]


def test_a_restored_index_answers_as_the_one_it_was_taken_from(index, new_index):
    vectors, probes = people(400), people(5, seed=3)
    index.add(np.arange(400, dtype=np.int64), vectors)
    index.remove(ids_of(0, 17, 399))
    state = {name: array.copy() for name, array in index.state().items()}
    restored = new_index()
    restored.add(ids_of(1_000), people(1, seed=8))
    restored.restore(state)
    assert len(restored) == 397
    before, after = index.search(probes, k=5), restored.search(probes, k=5)
    assert (before.ids == after.ids).all()
    assert (before.scores == after.scores).all()
    restored.add(ids_of(400), probes[:1])
    assert restored.search(probes[:1], k=1).ids.tolist() == [[400]]


def test_an_empty_index_is_restored_too(index, new_index):
    state = index.state()
    restored = new_index()
    restored.add(ids_of(1), people(1))
    restored.restore(state)
    assert len(restored) == 0


@pytest.mark.parametrize("harm", ["missing", "rows", "dtype"])
def test_a_state_that_does_not_fit_is_refused(index, harm):
    index.add(np.arange(10, dtype=np.int64), people(10))
    state = {name: array.copy() for name, array in index.state().items()}
    if harm == "missing":
        del state["ids"]
    elif harm == "rows":
        state["ids"] = np.append(state["ids"], ids_of(99))
    else:
        state["ids"] = state["ids"].astype(np.float64)
    with pytest.raises(InvalidIndexState):
        index.restore(state)


def test_clear_forgets_everything(index):
    index.add(np.arange(5, dtype=np.int64), people(5))
    index.clear()
    assert len(index) == 0
    assert (index.search(people(1), k=1).ids == -1).all()
