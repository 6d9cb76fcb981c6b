import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_proofs import lean_imt
from identity_proofs.errors import (
    GroupFileDamaged,
    GroupFileLocked,
    GroupFileMissing,
    InvalidCommitment,
    MemberExists,
    UnknownMember,
)
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.group import Group
from identity_proofs.group_file import GroupFile
from identity_proofs.group_file_writer import GroupFileWriter
from identity_proofs.poseidon import poseidon_pairs

NODE = 32


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[GroupFileWriter]:
    with GroupFileWriter(tmp_path) as writer:
        yield writer


def test_an_empty_group_is_the_one_in_memory(writer: GroupFileWriter) -> None:
    assert (writer.root, writer.size, writer.depth, writer.members) == (0, 0, 0, ())
    with pytest.raises(UnknownMember):
        writer.proof(0)
    with pytest.raises(UnknownMember):
        writer.index_of(1)
    writer.verify()


def test_there_is_one_writer(tmp_path: Path) -> None:
    with GroupFileWriter(tmp_path) as writer:
        writer.insert(1)
        with pytest.raises(GroupFileLocked):
            GroupFileWriter(tmp_path)
    with GroupFileWriter(tmp_path) as next_writer:
        assert next_writer.members == (1,)


def test_a_reader_needs_a_group(tmp_path: Path) -> None:
    with pytest.raises(GroupFileMissing):
        GroupFile(tmp_path)


def test_readers_see_each_commit(writer: GroupFileWriter, tmp_path: Path) -> None:
    with GroupFile(tmp_path) as first, GroupFile(tmp_path) as second:
        writer.insert_many(range(1, 6))
        assert first.index_of(5) == 4
        writer.update(4, 50)
        writer.insert(5)
        writer.remove(0)
        for reader in (first, second):
            assert reader.members == (0, 2, 3, 4, 50, 5)
            assert (reader.index_of(50), reader.index_of(5)) == (4, 5)
            assert 1 not in reader
            assert reader.proof(4).verify()


def test_a_refused_batch_leaves_nothing_behind(writer: GroupFileWriter) -> None:
    writer.insert_many([1, 2])
    root = writer.root
    for batch in ([3, 2], [3, 3], [3, 0], [3, SCALAR_FIELD]):
        with pytest.raises((MemberExists, InvalidCommitment)):
            writer.insert_many(batch)
    assert (writer.members, writer.root) == ((1, 2), root)


def test_a_reader_answers_from_one_state(
    writer: GroupFileWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commits, so that the second changes the files, while a proof is being read."""
    writer.insert_many(range(1, 9))
    with GroupFile(tmp_path) as reader:
        real, pending = reader._complete, [lambda: writer.update(6, 60), lambda: writer.remove(2)]

        def interrupted(*place: object) -> bytes:
            while pending:
                pending.pop(0)()
            return real(*place)  # type: ignore[arg-type]

        monkeypatch.setattr(reader, "_complete", interrupted)
        proof = reader.proof(7)
    assert proof.root == writer.root
    assert proof.verify()


def test_opening_hashes_the_top_alone(
    writer: GroupFileWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.insert_many(range(1, 5000))
    hashed = 0

    def counting(pairs: bytes) -> bytes:
        nonlocal hashed
        hashed += len(pairs) // 64
        return poseidon_pairs(pairs)

    monkeypatch.setattr(lean_imt, "poseidon_pairs", counting)
    with GroupFile(tmp_path) as reader:
        assert reader.size == 4999
    assert 0 < hashed < 200


def test_many_members_are_found_after_sorting_again(writer: GroupFileWriter) -> None:
    members = [(7919 * i) % 2**20 + 1 for i in range(6000)]
    assert 1 not in writer
    for start in range(0, len(members), 1500):
        writer.insert_many(members[start : start + 1500])
        assert writer.index_of(members[start]) == start
    assert [writer.index_of(member) for member in members[::97]] == list(range(0, 6000, 97))
    with pytest.raises(MemberExists):
        writer.insert(members[1234])


@pytest.mark.parametrize("height", range(5))
def test_any_changed_node_is_found(writer: GroupFileWriter, tmp_path: Path, height: int) -> None:
    writer.insert_many(range(1, 20))
    for index in range(19 >> height):
        change_byte(tmp_path / f"level-{height:02}", index * NODE + 5)
        with pytest.raises(GroupFileDamaged):
            writer.verify()
        change_byte(tmp_path / f"level-{height:02}", index * NODE + 5)
    writer.verify()


def test_a_damaged_top_does_not_open(writer: GroupFileWriter, tmp_path: Path) -> None:
    writer.insert_many(range(1, 20))
    for height in range(5):
        change_byte(tmp_path / f"level-{height:02}", NODE - 1)
        with pytest.raises(GroupFileDamaged):
            GroupFile(tmp_path)
        change_byte(tmp_path / f"level-{height:02}", NODE - 1)


def test_a_lost_level_does_not_open(writer: GroupFileWriter, tmp_path: Path) -> None:
    writer.insert_many(range(1, 20))
    level = tmp_path / "level-02"
    os.truncate(level, 3 * NODE)
    with pytest.raises(GroupFileDamaged):
        GroupFile(tmp_path)
    level.unlink()
    with pytest.raises(GroupFileDamaged):
        GroupFile(tmp_path)


def test_one_torn_record_is_the_last_state_and_two_are_damage(
    writer: GroupFileWriter, tmp_path: Path
) -> None:
    writer.insert_many([1, 2, 3])
    writer.insert(4)
    change_byte(tmp_path / "head", 20)  # the second commit's, in the slot of even ones
    with GroupFile(tmp_path) as reader:
        assert reader.members == (1, 2, 3)
    change_byte(tmp_path / "head", 4096 + 20)
    with pytest.raises(GroupFileDamaged):
        GroupFile(tmp_path)


def test_a_kill_at_any_byte_leaves_the_last_state_or_the_new_one(tmp_path: Path) -> None:
    """Stops the writer within each write, as a kill does, and opens what is left."""
    for change in ("insert", "remove", "update"):
        kept = 0
        while not write_until(tmp_path / f"{change}-{kept}", change, kept):
            kept += 29  # so that every place in a node is met


class Killed(BaseException):
    pass


def write_until(directory: Path, change: str, budget: int) -> bool:
    """Do a change, killed after `budget` bytes; return whether it came to its end."""
    before = [1, 2, 3, 4, 5, 6, 7]
    with GroupFileWriter(directory) as writer:
        writer.insert_many(before)
        writer.remove(2)  # its nodes are in the record alone as yet
        old, new = Group(before), Group(before)
    for group in (old, new):
        group.remove(2)
    real_write = os.pwrite

    def limited(file: int, data: bytes, at: int) -> int:
        nonlocal budget
        real_write(file, bytes(data)[: max(budget, 0)], at)
        budget -= len(data)
        if budget < 0:
            raise Killed
        return len(data)

    def apply(group: Group | GroupFileWriter) -> None:
        if change == "insert":
            group.insert_many([8, 9, 10])
        elif change == "update":
            group.update(3, 40)
        else:
            group.remove(3)

    apply(new)
    with pytest.MonkeyPatch.context() as patch, GroupFileWriter(directory) as writer:
        patch.setattr(os, "pwrite", limited)
        with contextlib.suppress(Killed):
            apply(writer)
    with GroupFileWriter(directory) as survivor:
        assert survivor.root in (old.root, new.root)
        assert survivor.members in (old.members, new.members)
        survivor.verify()
        survivor.insert(99)
        survivor.verify()
    return budget >= 0


def change_byte(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    with path.open("r+b") as file:
        file.write(content)
