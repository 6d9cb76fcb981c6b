"""The sharded index over scans of the processor in place of a GPU's: float16 and 8-bit codes."""

from functools import partial

import numpy as np
import pytest

from tests.unit.uniqueness.recorded_index import Database, RecordedFloat16Index, RecordedInt8Index
from tests.unit.uniqueness.synthetic import DIMENSION, at_cosine, people
from uniqueness.errors import IndexUnavailable
from uniqueness.gpu_shards import gpu_shards
from uniqueness.index import NumpyIndex


@pytest.fixture(params=[RecordedFloat16Index, RecordedInt8Index])
def sharded(request):
    return partial(filled, request.param)


def filled(kind, vectors, shards=3):
    index = kind(DIMENSION, Database(), shards)
    oracle = NumpyIndex(DIMENSION)
    for start in range(0, len(vectors), 1_000):
        ids = np.arange(start, min(start + 1_000, len(vectors)), dtype=np.int64)
        index.add(ids, vectors[start : start + 1_000])
        oracle.add(ids, vectors[start : start + 1_000])
    return index, oracle


@pytest.mark.parametrize("floor", [-1.0, 0.0, 0.3])
def test_more_hits_than_a_device_gives_are_all_found(sharded, floor):
    """At floor 0 half of 9,000 pass: more than the 2,048 that a GPU gives from a shard."""
    index, oracle = sharded(people(9_000), shards=1)
    probes = people(2, seed=1)
    hits, expected = index.search_range(probes, floor), oracle.search_range(probes, floor)
    near = np.abs(expected.scores - floor) > 1e-5
    found = set(zip(hits.probes.tolist(), hits.ids.tolist(), strict=True))
    sure = zip(expected.probes[near].tolist(), expected.ids[near].tolist(), strict=True)
    assert found >= set(sure)
    assert abs(len(found) - len(expected.ids)) <= (~near).sum()


def test_templates_are_spread_over_all_shards(sharded):
    index, _ = sharded(people(6_000))
    assert [shard.ntotal for shard in index._shards] == [2_000] * 3


def test_the_nearest_of_the_living_are_found_behind_many_removed(sharded):
    vectors = people(1)[0]
    crowd = np.stack([at_cosine(vectors, 0.99 - i / 1_000, seed=i) for i in range(300)])
    index, oracle = sharded(crowd)
    for one in (index, oracle):
        one.remove(np.arange(100, dtype=np.int64))
    probe = vectors[None]
    assert (index.search(probe, k=5).ids == oracle.search(probe, k=5).ids).all()


def test_scores_are_exact_in_spite_of_rounding(sharded):
    index, oracle = sharded(people(2_000))
    probes = people(10, seed=4)
    found, expected = index.search(probes, k=3), oracle.search(probes, k=3)
    assert (found.ids == expected.ids).all()
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


def gpus_here():
    try:
        return gpu_shards(DIMENSION)
    except IndexUnavailable:
        return []


def test_a_gpu_finds_everyone_or_is_told_missing_by_a_code():
    if not gpus_here():
        with pytest.raises(IndexUnavailable, match="finds a GPU"):
            gpu_shards(DIMENSION)
    vectors = people(5_000)
    for shard in gpus_here():
        shard.add(vectors)
        scores, rows = shard.search(vectors[:50], 4)
        assert (rows[:, 0] == np.arange(50)).all()
        np.testing.assert_allclose(scores[:, 0], 1, atol=shard.guard)
