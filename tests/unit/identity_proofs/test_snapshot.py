import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from identity_proofs.errors import (
    InvalidCommitment,
    SnapshotError,
    SnapshotFileInvalid,
    SnapshotFileMissing,
    SnapshotFileTampered,
    SnapshotGroupChanged,
    SnapshotManifestInvalid,
    SnapshotRootMismatch,
    UnknownMember,
)
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.group import Group
from identity_proofs.group_file_writer import GroupFileWriter
from identity_proofs.snapshot import SnapshotReader, write_snapshot
from identity_proofs.snapshot_manifest import (
    SnapshotManifest,
    manifest_name,
    wallet_download_bytes,
)

FOUR_MEGABYTES = 4_000_000


class Source:
    """A directory that notes what is fetched from it, and may change it on the way."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.fetched: list[str] = []
        self.sizes: dict[str, int] = {}
        self.tamper: Callable[[str, bytes], bytes] = lambda _, content: content

    def __call__(self, name: str) -> bytes:
        content = self.tamper(name, (self._directory / name).read_bytes())
        self.fetched.append(name)
        self.sizes[name] = len(content)
        return content

    @property
    def bytes_fetched(self) -> int:
        return sum(self.sizes.values())


@pytest.fixture
def group() -> Group:
    group = Group(range(1, 54))
    group.remove(20)
    return group


@pytest.fixture
def source(group: Group, tmp_path: Path) -> Source:
    write_snapshot(group, tmp_path, chunk_bits=2)
    return Source(tmp_path)


@pytest.mark.parametrize("chunk_bits", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 65])
def test_paths_are_those_of_the_whole_group(tmp_path: Path, size: int, chunk_bits: int) -> None:
    group = Group(range(1, size + 1))
    write_snapshot(group, tmp_path, chunk_bits)
    for index in range(0, size, 5):
        source = Source(tmp_path)
        proof = SnapshotReader(source, group.root, size, chunk_bits).proof(
            index + 1, index >> chunk_bits
        )
        assert proof == group.proof(index)
        assert source.bytes_fetched <= wallet_download_bytes(size, chunk_bits)


def test_a_group_on_disk_has_the_same_snapshot(group: Group, tmp_path: Path) -> None:
    with GroupFileWriter(tmp_path / "group") as writer:
        writer.insert_many(range(1, 54))
        writer.remove(20)
        assert write_snapshot(writer, tmp_path, 2) == write_snapshot(group, tmp_path / "other", 2)


@pytest.mark.parametrize("size", range(4, 70))
def test_a_crowd_fetches_the_same_files(tmp_path: Path, size: int) -> None:
    """Whatever is left over at a layer's end, nobody has files that fewer than 2^k others fetch."""
    group = Group(range(1, size + 1))
    write_snapshot(group, tmp_path, 2)
    crowds = Counter[str]()
    for chunk_index in range(-(-size // 4)):
        source = Source(tmp_path)
        SnapshotReader(source, group.root, size, 2).proof(4 * chunk_index + 1, chunk_index)
        crowds.update({name: min(4, size - 4 * chunk_index) for name in source.fetched})
    assert min(crowds.values()) >= 4
    assert crowds[manifest_name(group.root)] == size


def test_names_are_the_contents_digests(tmp_path: Path, source: Source) -> None:
    assert source.fetched == []
    files = [path for path in tmp_path.iterdir() if path.suffix != ".json"]
    assert files
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in files)


def test_the_next_epoch_adds_only_what_changed(
    group: Group, source: Source, tmp_path: Path
) -> None:
    before, root = set(tmp_path.iterdir()), group.root
    group.insert_many(range(100, 103))
    write_snapshot(group, tmp_path, chunk_bits=2)
    # The last two chunks, which shared a file; the layers above; the manifest.
    assert len(set(tmp_path.iterdir()) - before) == 2 + 2 + 1
    for old_or_new, size in ((root, 53), (group.root, 56)):
        assert SnapshotReader(source, old_or_new, size, 2).proof(5, 1).verify()


def test_a_removed_member_has_no_path(group: Group, source: Source) -> None:
    reader = SnapshotReader(source, group.root, group.size, 2)
    with pytest.raises(UnknownMember):
        reader.proof(21, 5)
    with pytest.raises(UnknownMember):
        reader.proof(1, 1)  # a member, of another chunk
    for chunk_index in (-1, 14):
        with pytest.raises(UnknownMember):
            reader.proof(1, chunk_index)
    with pytest.raises(InvalidCommitment):
        reader.proof(0, 5)


def test_any_changed_byte_is_refused(group: Group, source: Source) -> None:
    reader = SnapshotReader(source, group.root, group.size, 2)
    reader.proof(30, 7)
    for name in source.fetched[1:]:
        for at in range(source.sizes[name]):
            source.tamper = change_byte(name, at)
            with pytest.raises(SnapshotFileTampered):
                reader.proof(30, 7)
    manifest = source.fetched[0]
    for at in range(source.sizes[manifest]):
        source.tamper = change_byte(manifest, at)
        with contextlib.suppress(SnapshotError, UnknownMember):
            assert reader.proof(30, 7) == group.proof(29)


def change_byte(name: str, at: int) -> Callable[[str, bytes], bytes]:
    def change(fetched: str, content: bytes) -> bytes:
        if fetched != name:
            return content
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    return change


@pytest.mark.parametrize("position", range(4))
def test_each_file_has_its_own_error(
    group: Group, source: Source, tmp_path: Path, position: int
) -> None:
    reader = SnapshotReader(source, group.root, group.size, 2)
    reader.proof(30, 7)
    name = source.fetched[position]
    source.tamper = lambda fetched, content: content + b"!" if fetched == name else content
    with pytest.raises(SnapshotFileTampered if position else SnapshotManifestInvalid):
        reader.proof(30, 7)
    (tmp_path / name).unlink()
    with pytest.raises(SnapshotFileMissing):
        reader.proof(30, 7)


def test_a_source_cannot_make_the_crowd_smaller(group: Group, tmp_path: Path) -> None:
    write_snapshot(group, tmp_path, chunk_bits=1)
    source = Source(tmp_path)
    with pytest.raises(SnapshotRootMismatch):
        SnapshotReader(source, group.root, group.size, 2).proof(30, 7)
    assert source.fetched == [manifest_name(group.root)]


def test_a_source_cannot_name_a_shared_file_twice(tmp_path: Path) -> None:
    """Digests are no part of the root: a name of its own would set the last member apart."""
    group = Group(range(1, 10))
    manifest = write_snapshot(group, tmp_path, chunk_bits=2)
    entries = (tmp_path / manifest.top).read_bytes()
    forged = entries[:-32] + bytes(32)
    top = hashlib.sha256(forged).hexdigest()
    (tmp_path / top).write_bytes(forged)
    (tmp_path / manifest_name(group.root)).write_bytes(replace(manifest, top=top).to_json())
    fetched = []
    for member, chunk_index in ((9, 2), (8, 1)):
        source = Source(tmp_path)
        assert SnapshotReader(source, group.root, 9, 2).proof(member, chunk_index).verify()
        fetched.append(source.fetched)
    assert fetched[0] == fetched[1]


def test_another_groups_snapshot_is_refused(group: Group, tmp_path: Path) -> None:
    other = Group(range(2, 55))
    write_snapshot(group, tmp_path, 2)
    manifest = write_snapshot(other, tmp_path, 2)
    (tmp_path / manifest_name(group.root)).write_bytes(manifest.to_json())
    with pytest.raises(SnapshotRootMismatch):
        SnapshotReader(Source(tmp_path), group.root, group.size, 2).proof(30, 7)
    forged = SnapshotManifest(group.root, other.size, 2, manifest.top)
    (tmp_path / manifest_name(group.root)).write_bytes(forged.to_json())
    with pytest.raises(SnapshotRootMismatch):
        SnapshotReader(Source(tmp_path), group.root, group.size, 2).proof(30, 7)


def test_a_well_named_file_of_wrong_content_is_refused(group: Group, tmp_path: Path) -> None:
    """The server may name whatever it likes by its true digest."""

    def refused(content: bytes, size: int) -> None:
        name = hashlib.sha256(content).hexdigest()
        (tmp_path / name).write_bytes(content)
        forged = SnapshotManifest(group.root, size, 10, name)
        (tmp_path / manifest_name(group.root)).write_bytes(forged.to_json())
        with pytest.raises(SnapshotFileInvalid):
            SnapshotReader(Source(tmp_path), group.root, size, 10).proof(1, 0)

    refused(group.nodes(0, 0, 53), 52)
    refused(b"", 53)
    refused(SCALAR_FIELD.to_bytes(32, "little") * 53, 53)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * 400,
        b"\xff",
        b"{}",
        b'{"format": "lean-imt-snapshot-1"}',
        SnapshotManifest(5, 4, 2, "0" * 64).to_json().replace(b"snapshot-1", b"snapshot-2"),
        SnapshotManifest(5, 4, 2, "0" * 64).to_json().replace(b'"size": 4', b'"size": 0'),
        SnapshotManifest(5, 4, 2, "0" * 64).to_json().replace(b'"size": 4', b'"size": 4.5'),
        SnapshotManifest(5, 4, 2, "0" * 64).to_json().replace(b'bits": 2', b'bits": 60'),
        SnapshotManifest(5, 4, 2, "0" * 64).to_json().replace(b'"000', b'"../'),
        SnapshotManifest(5, 4, 2, "0" * 64).to_json().replace(b'"5"', b'"5.0"'),
        SnapshotManifest(5, 4, 2, "0" * 64).to_json() + b" " * 512,
    ],
)
def test_no_manifest_of_this_format_is_refused(content: bytes) -> None:
    with pytest.raises(SnapshotManifestInvalid):
        SnapshotManifest.from_json(content)


def test_manifest_json_goes_both_ways() -> None:
    manifest = SnapshotManifest(SCALAR_FIELD - 1, 1 << 32, 20, "f" * 64)
    assert SnapshotManifest.from_json(manifest.to_json()) == manifest


def test_an_empty_group_has_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(SnapshotManifestInvalid):
        write_snapshot(Group(), tmp_path)


def test_a_group_that_changes_meanwhile_has_no_snapshot(tmp_path: Path) -> None:
    class Changing(Group):
        def nodes(self, height: int, start: int, stop: int) -> bytes:
            self.insert(next(fresh))
            return super().nodes(height, start, stop)

    fresh = count(1000)
    with pytest.raises(SnapshotGroupChanged):
        write_snapshot(Changing(range(1, 9)), tmp_path, 2)
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("size", [1, 2**14, 2**20, 2**30 - 1, 2**30, 2**30 + 1, 2**32])
def test_a_wallet_fetches_at_most_four_megabytes(size: int) -> None:
    assert wallet_download_bytes(size) < FOUR_MEGABYTES


def test_the_arithmetic_at_2_to_the_30() -> None:
    leaves, layer_1, layer_2, manifest = 2**14 * 32, 2**14 * 64, 2**2 * 64, 512
    assert wallet_download_bytes(2**30) == leaves + layer_1 + layer_2 + manifest == 1_573_632
    longest = (2**15 - 1) * 32 + (2**15 - 1) * 64 + layer_2 + manifest
    worst_size = (2**16 - 1) * 2**14 - 1  # a chunk less a leaf too many, in both layers
    assert wallet_download_bytes(worst_size) == longest == 3_146_400


@pytest.mark.slow
def test_a_million_members(tmp_path: Path) -> None:
    """2^20 real leaves; one of the 64 chunks is fetched by 16,384 members."""
    size = 2**20
    words = np.random.default_rng(20).integers(0, 2**64, (size, 4), np.uint64)
    words[:, 3] >>= 4  # below r
    members = [int.from_bytes(row, "little") for row in words.view("V32").ravel().tolist()]
    with GroupFileWriter(tmp_path / "group") as group:
        group.insert_many(members)
        write_snapshot(group, tmp_path)
        source = Source(tmp_path)
        proof = SnapshotReader(source, group.root, size).proof(members[777_777], 777_777 >> 14)
        assert proof == group.proof(777_777)
    assert proof.verify()
    assert len(source.fetched) == 3
    assert source.bytes_fetched <= wallet_download_bytes(size) == 2**14 * 32 + 64 * 64 + 512
