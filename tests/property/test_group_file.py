"""The group on disk against the group in memory, and against every crash."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_proofs.errors import InvalidCommitment, MemberExists, UnknownMember
from identity_proofs.group import Group
from identity_proofs.group_file import GroupFile
from identity_proofs.group_file_writer import GroupFileWriter

# Small numbers repeat members; the others share their low words.
commitments = st.integers(0, 8) | st.integers(1, 2**180).map(lambda high: high << 64)
operations = st.one_of(
    st.tuples(st.just("insert"), st.lists(commitments, max_size=6)),
    st.tuples(st.just("update"), st.integers(-1, 30), commitments),
    st.tuples(st.just("remove"), st.integers(-1, 30)),
    st.tuples(st.just("reopen")),
)
BLOCK = 64  # bytes that reach the disk together, or do not


def apply(group: Group | GroupFileWriter, operation: tuple[object, ...]) -> type[Exception] | None:
    """Apply an operation; return the error that refused it."""
    try:
        match operation:
            case ("insert", list(members)):
                group.insert_many(members)
            case ("update", int(index), int(commitment)):
                group.update(index, commitment)
            case ("remove", int(index)):
                group.remove(index)
    except (InvalidCommitment, MemberExists, UnknownMember) as error:
        return type(error)
    return None


@settings(max_examples=40, deadline=None)
@given(st.lists(operations, max_size=12))
def test_answers_are_those_of_the_group_in_memory(script: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path, group = Path(directory), Group()
        writer = GroupFileWriter(path)
        reader = GroupFile(path)
        for operation in script:
            if operation == ("reopen",):
                writer.close()
                writer = GroupFileWriter(path)
            assert apply(writer, operation) == apply(group, operation)
            check_same(reader, group)
        reader.verify()
        reader.close()
        writer.close()


def check_same(found: GroupFile, expected: Group) -> None:
    assert (found.root, found.size, found.depth) == (expected.root, expected.size, expected.depth)
    assert found.members == expected.members
    for index, member in enumerate(expected.members):
        if member:
            assert member in found
            assert found.index_of(member) == index
            assert found.proof(index) == expected.proof(index)
    assert 2**255 not in found
    assert 0 not in found


@dataclass(frozen=True)
class Write:
    path: Path
    at: int
    data: bytes


@dataclass(frozen=True)
class Sync:
    path: Path


@contextmanager
def traced() -> Iterator[list[Write | Sync]]:
    """Collect the writes and syncs that are done within."""
    events: list[Write | Sync] = []
    paths: dict[int, Path] = {}
    real_open, real_write, real_sync = os.open, os.pwrite, os.fsync

    def open_(path: Path, flags: int, mode: int = 0o777) -> int:
        file = real_open(path, flags, mode)
        paths[file] = Path(path)
        return file

    def write(file: int, data: bytes, at: int) -> int:
        events.append(Write(paths[file], at, bytes(data)))
        return real_write(file, data, at)

    def sync(file: int) -> None:
        events.append(Sync(paths[file]))
        real_sync(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", open_)
        patch.setattr(os, "pwrite", write)
        patch.setattr(os, "fsync", sync)
        yield events


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=3, max_size=8), st.data())
def test_a_power_cut_leaves_the_last_state_or_the_new_one(
    script: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Of what was written and not synced, any blocks are kept and any lost, in any order."""
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as other:
        GroupFileWriter(Path(directory)).close()
        empty_head = (Path(directory) / "head").read_bytes()
        states = [Group().members]
        with traced() as events, GroupFileWriter(Path(directory)) as writer:
            for number, (kind, amount) in enumerate(script, 1):
                new = range(1000 * number, 1000 * number + amount)
                steps = ("insert", [*new]), ("update", amount, new[0]), ("remove", amount)
                apply(writer, steps[max(0, kind - 1)])
                if writer.members != states[-1]:
                    states.append(writer.members)

        head = Path(directory) / "head"
        commits = [i + 1 for i, e in enumerate(events) if isinstance(e, Write) and e.path == head]
        anywhere = st.integers(0, len(events))
        cut = data.draw(anywhere | st.sampled_from(commits or [0]), label="cut")
        disk = Disk({"head": bytearray(empty_head)})
        disk.play(events[:cut], lambda: data.draw(st.booleans()))
        disk.save(Path(other))
        committed = sum(event == Sync(head) for event in events[:cut])

        with GroupFileWriter(Path(other)) as survivor:
            assert survivor.members in states[committed : committed + 2]
            assert survivor.root == rebuilt(survivor.members).root
            survivor.verify()
            survivor.insert(2**251)
            survivor.verify()


def rebuilt(leaves: tuple[int, ...]) -> Group:
    """Return the group with these leaves, 0 where a member was removed."""
    group = Group(leaf or 2**252 + index for index, leaf in enumerate(leaves))
    for index, leaf in enumerate(leaves):
        if leaf == 0:
            group.remove(index)
    return group


class Disk:
    """What is on a disk: synced writes for certain, the others block by block as chance has it."""

    def __init__(self, files: dict[str, bytearray]) -> None:
        self._files = files

    def play(self, events: list[Write | Sync], is_kept: Callable[[], bool]) -> None:
        for number, event in enumerate(events):
            if isinstance(event, Write):
                synced = Sync(event.path) in events[number:]
                for start in range(0, len(event.data), BLOCK):
                    if synced or is_kept():
                        block = event.data[start : start + BLOCK]
                        self._put(event.path.name, event.at + start, block)

    def save(self, directory: Path) -> None:
        for name, content in self._files.items():
            (directory / name).write_bytes(content)

    def _put(self, name: str, at: int, block: bytes) -> None:
        content = self._files.setdefault(name, bytearray())
        content.extend(bytes(max(0, at + len(block) - len(content))))
        content[at : at + len(block)] = block
