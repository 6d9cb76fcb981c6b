"""What only Milvus can get wrong: limits of an answer, partitions, what it keeps, its absence."""

import numpy as np
import pytest

from tests.unit.uniqueness.milvus_engine import milvus_client, milvus_collection
from tests.unit.uniqueness.synthetic import DIMENSION, people
from uniqueness.errors import IndexUnavailable, InvalidIndexState
from uniqueness.index import NumpyIndex

pytestmark = pytest.mark.slow


@pytest.fixture
def open_index():
    with milvus_collection(DIMENSION) as open_it:
        yield open_it


def filled(index, count=300, start=1):
    index.add(np.arange(start, start + count, dtype=np.int64), people(count))
    return index


@pytest.mark.parametrize("floor", [-1.0, 0.1])
def test_an_answer_that_hits_the_limit_is_continued(open_index, floor):
    index = filled(open_index(most_hits=16), 100)
    oracle = filled(NumpyIndex(DIMENSION), 100)
    probes = people(2, seed=1)
    hits, expected = index.search_range(probes, floor), oracle.search_range(probes, floor)
    assert len(expected.ids) > 32
    assert (hits.probes == expected.probes).all()
    assert sorted(hits.ids.tolist()) == sorted(expected.ids.tolist())
    candidates = index.search(probes, k=40)
    assert (candidates.ids == oracle.search(probes, k=40).ids).all()


def test_many_templates_of_one_score_are_all_found(open_index):
    index = open_index(most_hits=8)
    index.add(np.arange(1, 41, dtype=np.int64), np.repeat(people(1), 40, axis=0))
    assert sorted(index.search_range(people(1), 0.9).ids.tolist()) == list(range(1, 41))


def test_a_partition_holds_a_run_of_sequence_numbers(open_index):
    index = open_index()
    ids = np.array([5, 9_999_999, 10_000_000, 31_000_000], np.int64)
    index.add(ids, people(4))
    partitions = set(milvus_client().list_partitions(index._collection))
    assert partitions >= {"from_0", "from_10000000", "from_30000000"}
    assert index.search(people(4), k=1).ids[:, 0].tolist() == ids.tolist()


def test_a_repeated_addition_changes_nothing(open_index):
    index = filled(filled(open_index()))
    assert len(index) == 300
    assert index.search(people(1), k=2).ids[0, 0] == 1
    assert index.search(people(1), k=2).ids[0, 1] != 1


def test_it_is_there_again_after_a_restart_and_what_the_database_lacks_goes(open_index):
    state = filled(open_index()).state()
    filled(open_index(), 5, start=500)
    again = open_index()
    assert len(again) == 305
    again.restore(state)
    assert len(again) == 300
    assert again.search(people(300)[7:8], k=1).ids.tolist() == [[8]]


def test_it_must_be_filled_again_where_it_lost_some(open_index):
    index = filled(open_index())
    state = index.state()
    index.remove(np.array([3], np.int64))
    with pytest.raises(InvalidIndexState, match="lacks 1"):
        index.restore(state)


def test_a_failing_cluster_is_told_by_a_code(open_index):
    index = filled(open_index())
    milvus_client().drop_collection(index._collection)
    with pytest.raises(IndexUnavailable) as failure:
        index.search(people(1), k=1)
    assert failure.value.code == "index_unavailable"
