"""One suite for every implementation of `GalleryIndex`."""

import numpy as np
import pytest

from tests.unit.uniqueness.synthetic import DIMENSION, people
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.index import NumpyIndex


@pytest.fixture(params=[NumpyIndex, FaissFlatIndex])
def index(request):
    return request.param(DIMENSION)


def test_an_empty_index_has_no_candidates(index):
    candidates = index.search(people(3), k=5)
    assert candidates.scores.shape == candidates.ids.shape == (3, 0)
    assert np.isneginf(candidates.best_scores()).all()
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
        candidates.scores, np.take_along_axis(scores, expected, axis=1), atol=1e-5
    )
    assert len(index) == 500


def test_k_beyond_the_size_gives_all_there_are(index):
    index.add(np.array([4, 5], np.int64), people(2))
    candidates = index.search(people(1), k=9)
    assert candidates.ids.tolist() == [[4, 5]]
    assert candidates.scores[0, 0] == pytest.approx(1.0, abs=1e-5)


def test_clear_forgets_everything(index):
    index.add(np.arange(5, dtype=np.int64), people(5))
    index.clear()
    assert len(index) == 0
    assert index.search(people(1), k=1).scores.shape == (1, 0)
