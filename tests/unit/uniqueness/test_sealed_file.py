"""A sealed file gives what was written, or an error: never something else."""

import stat

import numpy as np
import pytest

from uniqueness import sealed_file
from uniqueness.errors import SnapshotDamaged, SnapshotError, SnapshotFormatUnknown, WrongKey
from uniqueness.sealed_file import SealedArrays, read_sealed, write_sealed
from uniqueness.sealing import Keyring

KEYRING = Keyring(b"k" * 32)
CHUNK = 4096
SEALED_CHUNK = CHUNK + 16
ARRAYS = {
    "ids": np.arange(100, dtype=np.int64),
    "vectors": np.random.default_rng(1).normal(size=(100, 32)).astype(np.float32),
    "nobody": np.empty((0, 32), np.float32),
}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(sealed_file, "_CHUNK_BYTES", CHUNK)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    write_sealed(path, SealedArrays({"horizon": 7}, ARRAYS), KEYRING)
    return path


def chunks_start(path):
    content = path.read_bytes()
    return 14 + int.from_bytes(content[10:14], "little")


def test_arrays_come_back_as_they_were(path):
    content = read_sealed(path, KEYRING)
    assert content.about == {"horizon": 7}
    assert list(content.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert content.arrays[name].dtype == array.dtype
        assert np.array_equal(content.arrays[name], array)
    assert content.arrays["vectors"].flags.writeable


def test_nothing_secret_lies_open(path):
    content = path.read_bytes()
    assert ARRAYS["vectors"].tobytes()[:16] not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_slice_that_is_not_contiguous_is_written_too(tmp_path):
    array = np.arange(60).reshape(6, 10)[::2, 1:7]
    write_sealed(tmp_path / "file", SealedArrays({}, {"a": array}), KEYRING)
    assert np.array_equal(read_sealed(tmp_path / "file", KEYRING).arrays["a"], array)


def test_a_retired_key_opens_and_a_missing_one_is_named(path):
    other = Keyring(b"o" * 32)
    assert read_sealed(path, Keyring(b"o" * 32, [b"k" * 32])).about == {"horizon": 7}
    with pytest.raises(WrongKey, match=KEYRING.key_id):
        read_sealed(path, other)


def test_every_changed_byte_is_noticed(path):
    content = path.read_bytes()
    start = chunks_start(path)
    positions = {*range(0, start, 7), *range(start, len(content), 997), len(content) - 1}
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises((SnapshotError, WrongKey)):
            read_sealed(path, KEYRING)


def test_a_file_that_ends_early_is_noticed_wherever_it_ends(path):
    content = path.read_bytes()
    start = chunks_start(path)
    for length in [0, 5, 12, 20, start, start + SEALED_CHUNK, len(content) - 16, len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(SnapshotError):
            read_sealed(path, KEYRING)


def test_a_file_that_goes_on_is_noticed(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(SnapshotDamaged):
        read_sealed(path, KEYRING)


def test_exchanged_chunks_are_noticed(path):
    content = path.read_bytes()
    first = chunks_start(path) + 800 + 16  # behind the ids
    second, end = first + SEALED_CHUNK, first + 2 * SEALED_CHUNK
    path.write_bytes(content[:first] + content[second:end] + content[first:second] + content[end:])
    with pytest.raises(SnapshotDamaged):
        read_sealed(path, KEYRING)


def test_a_mixture_of_two_files_is_noticed(path, tmp_path):
    other = tmp_path / "other"
    write_sealed(other, SealedArrays({"horizon": 7}, ARRAYS), KEYRING)
    start = chunks_start(path)
    assert start == chunks_start(other)
    path.write_bytes(path.read_bytes()[:start] + other.read_bytes()[start:])
    with pytest.raises(SnapshotDamaged):
        read_sealed(path, KEYRING)


def test_another_version_is_told_from_damage(path):
    content = bytearray(path.read_bytes())
    content[8] = 2
    path.write_bytes(content)
    with pytest.raises(SnapshotFormatUnknown):
        read_sealed(path, KEYRING)


def test_a_header_that_promises_too_much_takes_no_memory(path):
    content = path.read_bytes().replace(b"[100, 32]", b"[1e9, 32]")
    path.write_bytes(content)
    with pytest.raises(SnapshotDamaged):
        read_sealed(path, KEYRING)


def test_the_older_file_stays_when_the_new_one_cannot_be_written(path):
    unwritable = {"ids": ARRAYS["ids"], "names": np.array(["a", None])}
    with pytest.raises((TypeError, ValueError)):
        write_sealed(path, SealedArrays({"horizon": 8}, unwritable), KEYRING)
    assert read_sealed(path, KEYRING).about == {"horizon": 7}
    assert list(path.parent.iterdir()) == [path]
