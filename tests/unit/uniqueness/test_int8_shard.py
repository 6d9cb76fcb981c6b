"""8-bit codes on a device: the product is exact, the guard holds, and a restored one keeps it."""

import numpy as np
import pytest

from tests.unit.uniqueness.conftest import KEY
from tests.unit.uniqueness.recorded_index import Database, RecordedInt8Index
from tests.unit.uniqueness.synthetic import DIMENSION, people, unit
from uniqueness.errors import IndexUnavailable, InvalidIndexState
from uniqueness.gpu_shards import int8_shards
from uniqueness.index import NumpyIndex
from uniqueness.int8_shard import Int8Shard
from uniqueness.onnx_scan import CPU, CUDA, LOW_STEPS, CodeScan
from uniqueness.sealed_file import SealedArrays, read_sealed, write_sealed
from uniqueness.sealing import Keyring


@pytest.fixture(scope="module")
def scan():
    return CodeScan(CPU)


@pytest.mark.parametrize("probe_count", [1, 3, 32])
def test_products_of_the_most_extreme_codes_are_exact(scan, probe_count):
    """Processors without VNNI add pairs of 8-bit products in 16 bits, which may saturate."""
    random = np.random.default_rng(0)
    codes = random.choice(np.array([-127, 127], np.int8), (100, 512))
    codes[0], codes[1] = 127, -127
    halves = random.choice(np.array([-127, 127], np.int8), (512, 2 * probe_count))
    halves[:, 0] = 127
    scores, rows = scan.nearest(scan.upload(codes), halves, 100)
    high, low = np.split(codes.astype(np.int64) @ halves.astype(np.int64), 2, axis=1)
    expected = (high + low / LOW_STEPS).T
    assert (np.sort(rows, axis=1) == np.arange(100)).all()
    np.testing.assert_allclose(scores, np.take_along_axis(expected, rows, axis=1), rtol=1e-6)
    assert (np.diff(scores, axis=1) <= 0).all()


def spiked(count, seed):
    """Vectors whose length lies in few values: the worst that a scale can be asked to hold."""
    random = np.random.default_rng(seed)
    return unit(random.normal(size=(count, DIMENSION)) ** 9)


@pytest.mark.parametrize("dimension", [1, 31, 64, 100])
def test_a_score_is_off_by_less_than_the_guard(scan, dimension):
    shard = Int8Shard(dimension, scan, block=100)
    random = np.random.default_rng(dimension)
    vectors = unit(random.normal(size=(350, dimension)))
    shard.add(vectors)
    probes = np.concatenate([vectors[:40], unit(random.normal(size=(40, dimension)))])
    scores, rows = shard.search(probes, 350)
    exact = np.take_along_axis(probes @ vectors.T, rows, axis=1)
    assert np.abs(scores - exact).max() <= shard.guard
    kept = shard.reconstruct_n(90, 120)
    assert np.linalg.norm(kept - vectors[90:210], axis=1).max() <= shard.error + 1e-6


def test_vectors_that_a_code_clips_widen_the_guard(scan):
    """The very direction that the rotation turns into one axis does not fit the scale."""
    shard = Int8Shard(DIMENSION, scan)
    shard.add(people(50))
    narrow = shard.guard
    axis = shard._rotation[:, :1].T
    shard.add(axis)
    assert shard.guard > 3 * narrow
    scores, rows = shard.search(np.concatenate([axis, people(5), spiked(5, 1)]), 51)
    held = np.concatenate([people(50), axis])
    exact = np.concatenate([axis, people(5), spiked(5, 1)]) @ held.T
    assert np.abs(scores - np.take_along_axis(exact, rows, axis=1)).max() <= shard.guard


def test_a_restored_index_keeps_codes_and_guard(tmp_path):
    """The codes are not rounded again: however often it is restored, it is the same index."""
    database, keyring = Database(), Keyring(KEY)
    index = RecordedInt8Index(DIMENSION, database)
    axis = index._shards[0]._rotation[:, :1].T
    vectors = np.concatenate([people(200), axis, spiked(50, 2)])
    index.add(np.arange(len(vectors), dtype=np.int64), vectors)
    before = index.state()
    guard = max(shard.guard for shard in index._shards)
    write_sealed(tmp_path / "snapshot", SealedArrays({}, before), keyring)
    for shards in (3, 1):
        restored = RecordedInt8Index(DIMENSION, database, shards)
        restored.restore(read_sealed(tmp_path / "snapshot", keyring).arrays)
        assert max(shard.guard for shard in restored._shards) == guard
        after = restored.state()
        assert all((before[name] == after[name]).all() for name in before)
    oracle = NumpyIndex(DIMENSION)
    oracle.add(np.arange(len(vectors), dtype=np.int64), vectors)
    probes = np.concatenate([axis, spiked(20, 3)])
    found, expected = restored.search(probes, 5), oracle.search(probes, 5)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


def test_the_state_of_float16_shards_is_refused():
    index = RecordedInt8Index(DIMENSION, Database())
    state = {
        "ids": np.arange(3, dtype=np.int64),
        "rows": people(3).astype(np.float16),
        "error": np.array(0.0),
    }
    with pytest.raises(InvalidIndexState):
        index.restore(state)


def test_a_block_that_is_full_is_sent_once():
    class Counted(CodeScan):
        sent = 0

        def upload(self, codes):
            self.sent += len(codes)
            return super().upload(codes)

    scan = Counted(CPU)
    shard = Int8Shard(DIMENSION, scan, block=100)
    for start in range(0, 300, 50):
        shard.add(people(50, seed=start))
        shard.search(people(1), 1)
    shard.search(people(1), 1)
    assert scan.sent == 3 * (50 + 100)


def test_every_device_gets_a_shard(monkeypatch):
    class OneOfTwo(CodeScan):
        def __init__(self, provider, device):
            assert provider == CUDA
            if device == 2:
                raise IndexUnavailable("there are two")
            super().__init__(CPU, device)

    monkeypatch.setattr("uniqueness.onnx_scan.CodeScan", OneOfTwo)
    assert [shard.ntotal for shard in int8_shards(DIMENSION)] == [0, 0]


def test_a_kind_of_device_that_is_not_there_is_refused():
    with pytest.raises(IndexUnavailable, match=r"ExecutionProvider|device 99"):
        CodeScan(CUDA, 99)


def test_what_the_device_cannot_do_is_told_by_a_code(scan):
    with pytest.raises(IndexUnavailable, match="did not finish"):
        scan.nearest(scan.upload(np.zeros((3, 4), np.int8)), np.zeros((5, 2), np.int8), 1)
