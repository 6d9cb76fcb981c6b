"""A copy of a log: what it notices, and what is left of it after a crash."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.decision_logs import Log, log_of_key
from transparency.checkpoint import Checkpoint, sign_checkpoint
from transparency.entry import Kind
from transparency.errors import (
    CheckpointInvalid,
    EntryInvalid,
    LogInconsistent,
    LogUnreachable,
    NoteInvalid,
)
from transparency.merkle import MemoryTree, leaf_hash
from transparency.mirror import LogCopy, LogFiles, Mirror
from transparency.note import NoteSigner
from transparency.store import Disclosed

SIGNER = NoteSigner("log.example/people", b"l" * 32)


@pytest.fixture
def log() -> Log:
    log = Log()
    log.accept(11, 12)
    log.write(Kind.DUPLICATE)
    log.remove(12)
    log.accept(13, kind=Kind.RECOVERY)
    return log


def signed_anew(copy: LogCopy, leaves: list[bytes]) -> LogCopy:
    """The same openings over other leaves, with a checkpoint that the log's key signs."""
    root = MemoryTree(map(leaf_hash, leaves)).root(len(leaves))
    note = sign_checkpoint(Checkpoint(SIGNER.verifier.name, len(leaves), root), SIGNER)
    return LogCopy(note, leaves, copy.openings)


def test_a_mirror_follows_a_log(log: Log) -> None:
    mirror = Mirror(log.key)
    mirror.extend(log.copy())
    mirror.extend(log.copy(mirror.size))
    log.accept(14)
    mirror.extend(log.copy(mirror.size))
    assert mirror.size == 6
    assert mirror.ledger.admitted == {11: 0, 12: 1, 13: 4, 14: 5}
    assert mirror.ledger.removed == {12: 3}
    assert mirror.head is not None
    assert mirror.size_of(mirror.head.checkpoint.digest) == 6
    assert mirror.size_of(bytes(32)) is None


CHANGES: dict[str, Callable[[LogCopy], LogCopy]] = {
    "dropped": lambda copy: replace(copy, leaves=copy.leaves[1:]),
    "cut off": lambda copy: replace(copy, leaves=copy.leaves[:-1]),
    "moved": lambda copy: replace(copy, leaves=[*copy.leaves[1::-1], *copy.leaves[2:]]),
    "changed": lambda copy: replace(copy, leaves=[copy.leaves[0] + b" ", *copy.leaves[1:]]),
    "added": lambda copy: replace(copy, leaves=[*copy.leaves, copy.leaves[0]]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_leaves_that_are_not_the_checkpoints_are_noticed(log: Log, change: str) -> None:
    with pytest.raises(LogInconsistent) as noticed:
        Mirror(log.key).extend(CHANGES[change](log.copy()))
    assert noticed.value.finding == "log_root_wrong"


def test_a_checkpoint_of_another_key_or_log_is_refused(log: Log) -> None:
    stranger = log_of_key(b"s" * 32)
    with pytest.raises(NoteInvalid):
        Mirror(log.key).extend(stranger.copy())
    other = sign_checkpoint(Checkpoint("log.example/other", 0, MemoryTree().root(0)), SIGNER)
    with pytest.raises(CheckpointInvalid):
        Mirror(log.key).extend(LogCopy(other, [], []))


def test_a_log_that_is_rewritten_is_noticed_by_who_holds_it(log: Log) -> None:
    mirror = Mirror(log.key)
    mirror.extend(log.copy())
    other = Log()
    other.accept(11, 12, 15, 16, 17, 18)
    with pytest.raises(LogInconsistent) as noticed:
        mirror.extend(other.copy(mirror.size))
    assert noticed.value.finding == "log_root_wrong"


def test_a_log_that_shrinks_is_noticed(log: Log) -> None:
    mirror = Mirror(log.key)
    mirror.extend(log.copy())
    with pytest.raises(LogInconsistent) as noticed:
        mirror.extend(Log().copy())
    assert noticed.value.finding == "log_truncated"


def test_held_checkpoints_are_compared(log: Log) -> None:
    held = Checkpoint.of_note(log.copy().note)
    log.accept(14)
    mirror = Mirror(log.key)
    mirror.extend(log.copy())
    mirror.require_consistent(held)
    for changed, finding in (
        (replace(held, root=bytes(32)), "log_forked"),
        (replace(held, size=7), "log_truncated"),
    ):
        with pytest.raises(LogInconsistent) as noticed:
            mirror.require_consistent(changed)
        assert noticed.value.finding == finding


def finding(log: Log, copy: LogCopy) -> str:
    with pytest.raises(LogInconsistent) as noticed:
        Mirror(log.key).extend(copy)
    return noticed.value.finding


def test_openings_are_those_of_their_entries(log: Log) -> None:
    copy = log.copy()
    first, second, *rest = copy.openings
    swapped = [Disclosed(0, second.opening), Disclosed(1, first.opening), *rest]
    assert finding(log, replace(copy, openings=swapped)) == "opening_wrong"
    assert finding(log, replace(copy, openings=copy.openings[1:])) == "opening_missing"
    stray = [*copy.openings, Disclosed(2, first.opening)]
    assert finding(log, replace(copy, openings=stray)) == "opening_wrong"


@pytest.mark.parametrize(
    ("kind", "commitment", "code"),
    [
        (Kind.UNIQUE, 11, "admitted_twice"),
        (Kind.RECOVERY, 11, "admitted_twice"),
        (Kind.RECOVERY, 12, "admitted_twice"),
        (Kind.REMOVAL, 12, "removed_twice"),
        (Kind.REMOVAL, 99, "removed_unknown"),
        (Kind.UNIQUE, None, "opening_missing"),
    ],
)
def test_a_commitment_comes_once_and_goes_once(
    log: Log, kind: Kind, commitment: int | None, code: str
) -> None:
    log.write(kind, commitment)
    assert finding(log, log.copy()) == code


def test_a_leaf_that_is_no_entry_is_refused(log: Log) -> None:
    copy = log.copy()
    with pytest.raises(EntryInvalid):
        Mirror(log.key).extend(signed_anew(copy, [*copy.leaves, b"{}"]))


def test_files_keep_what_was_added(log: Log, tmp_path: Path) -> None:
    files = LogFiles(tmp_path / "log")
    assert not files.exists
    with pytest.raises(LogUnreachable):
        files.read()
    files.append(log.copy())
    log.accept(14)
    files.append(log.copy(5))
    assert LogFiles(tmp_path / "log").read() == log.copy()


def test_what_a_crash_left_is_cut_off(log: Log, tmp_path: Path) -> None:
    LogFiles(tmp_path).append(log.copy())
    before = log.copy()
    log.accept(14, 15)
    for name, left in (
        ("leaves.jsonl", log.copy().leaves[5] + b'\n{"half'),
        ("openings.jsonl", b'{"commitment": "14", "ind'),
    ):
        with (tmp_path / name).open("ab") as file:
            file.write(left)
    files = LogFiles(tmp_path)
    assert files.read() == before
    files.append(log.copy(5))
    assert LogFiles(tmp_path).read() == log.copy()
