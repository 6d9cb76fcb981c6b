"""A copy of somebody's log, checked as it is taken: what an auditor or an attester holds."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transparency.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from transparency.entry import SALT_BYTES, Entry, Opening
from transparency.errors import LogInconsistent, LogUnreachable
from transparency.files import append_durably, write_durably
from transparency.ledger import Ledger
from transparency.merkle import MemoryTree, leaf_hash
from transparency.note import VerifierKey
from transparency.store import Disclosed

_LEAVES: Final = "leaves.jsonl"
_OPENINGS: Final = "openings.jsonl"
_CHECKPOINT: Final = "checkpoint"
_SEARCHED: Final = 100_000  # checkpoints back, when one is looked for by its digest


@dataclass(frozen=True)
class LogCopy:
    """A log, or its end, as somebody serves it; nothing of it was checked.

    Args:
        note: its checkpoint.
        leaves: up to the checkpoint's size.
        openings: of some of them.
    """

    note: str
    leaves: Sequence[bytes]
    openings: Sequence[Disclosed]


class Mirror:
    """A log that was checked: its tree, its last checkpoint, and what it says of commitments.

    Args:
        key: the log's, from a source other than the log.
    """

    def __init__(self, key: VerifierKey) -> None:
        self.key = key
        self.tree = MemoryTree()
        self.ledger = Ledger()
        self.head: SignedCheckpoint | None = None

    @property
    def size(self) -> int:
        """How many entries were checked."""
        return self.tree.size

    def extend(self, copy: LogCopy) -> None:
        """Take what was added since.

        Nothing is taken where the root is wrong. After another error the mirror is of no use any
        more: its log's own key signed what cannot be.

        Args:
            copy: `leaves` from `size` on.

        Raises:
            NoteInvalid, CheckpointInvalid: the checkpoint is not this log's.
            EntryInvalid: a leaf is no entry.
            LogInconsistent: `log_truncated`, `log_root_wrong`, or see `Ledger.follow`.
        """
        signed = open_checkpoint(copy.note, self.key)
        checkpoint, first = signed.checkpoint, self.size
        if checkpoint.size < first:
            raise LogInconsistent(
                "log_truncated",
                f"the log has {checkpoint.size} entries, and had {first} before",
            )
        if checkpoint.size != first + len(copy.leaves):
            raise LogInconsistent(
                "log_root_wrong",
                f"the checkpoint counts {checkpoint.size} entries, the log serves "
                f"{first + len(copy.leaves)}",
            )
        hashes = [leaf_hash(leaf) for leaf in copy.leaves]
        if self.tree.root_with(hashes) != checkpoint.root:
            raise LogInconsistent(
                "log_root_wrong",
                "the entries do not give the checkpoint's root: one was dropped, changed or moved",
            )
        self.tree.extend(hashes)
        openings = {disclosed.index: disclosed.opening for disclosed in copy.openings}
        for index, leaf in enumerate(copy.leaves, first):
            self.ledger.follow(index, Entry.from_bytes(leaf), openings)
        self.head = signed

    def require_consistent(self, held: Checkpoint) -> None:
        """Check that the log continues one whose checkpoint somebody holds.

        Raises:
            LogInconsistent: `log_truncated` or `log_forked`.
        """
        if held.size > self.size:
            raise LogInconsistent(
                "log_truncated",
                f"a checkpoint counts {held.size} entries, the log has {self.size}",
            )
        if self.tree.root(held.size) != held.root:
            raise LogInconsistent(
                "log_forked",
                f"the log's first {held.size} entries are not those of a checkpoint of that size",
            )

    def size_of(self, digest: bytes) -> int | None:
        """How many entries the checkpoint of this log has whose digest is on the chain.

        Looks at most 100,000 sizes back.
        """
        for size in range(self.size, max(-1, self.size - _SEARCHED), -1):
            if Checkpoint(self.key.name, size, self.tree.root(size)).digest == digest:
                return size
        return None


class LogFiles:
    """A log in a directory, as `personhood audit export` writes it and an attester keeps it.

        leaves.jsonl     a leaf a line
        openings.jsonl   an opening a line
        checkpoint       a signed note; lines that it does not count were left by a crash

    Args:
        folder: made by the first `append`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = {_LEAVES: 0, _OPENINGS: 0}  # bytes that the checkpoint counts

    @property
    def exists(self) -> bool:
        """Whether there is a log."""
        return (self._folder / _CHECKPOINT).is_file()

    def read(self) -> LogCopy:
        """Read all of it.

        Raises:
            LogUnreachable: there is no log, or it cannot be read.
            CheckpointInvalid: the checkpoint is none.
        """
        try:
            note = (self._folder / _CHECKPOINT).read_text()
            leaves = (self._folder / _LEAVES).read_bytes().splitlines(keepends=True)
            lines = (self._folder / _OPENINGS).read_bytes().splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as error:
            raise LogUnreachable(f"{self._folder} holds no decision log: {error}") from error
        size = Checkpoint.of_note(note).size
        openings = []
        for line in lines:
            found = _parse(line)
            if found is None or found.index >= size:
                break
            openings.append(found)
        self._ends[_LEAVES] = sum(map(len, leaves[:size]))
        self._ends[_OPENINGS] = sum(map(len, lines[: len(openings)]))
        return LogCopy(note, [leaf.removesuffix(b"\n") for leaf in leaves[:size]], openings)

    def append(self, copy: LogCopy) -> None:
        """Add what follows on what was read or added last, durably; last of all the checkpoint."""
        self._add(_LEAVES, b"".join(leaf + b"\n" for leaf in copy.leaves))
        self._add(_OPENINGS, b"".join(_format(found) for found in copy.openings))
        write_durably(self._folder / _CHECKPOINT, copy.note)

    def _add(self, name: str, lines: bytes) -> None:
        append_durably(self._folder / name, self._ends[name], lines)
        self._ends[name] += len(lines)


def parse_opening(fields: Mapping[str, object]) -> Disclosed:
    """Read an opening as it is served.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    index, salt = fields["index"], base64.b64decode(str(fields["salt"]), validate=True)
    commitment = int(str(fields["commitment"]))
    if not isinstance(index, int) or len(salt) != SALT_BYTES or not 0 < commitment < 1 << 256:
        raise ValueError("no opening")
    return Disclosed(index, Opening(commitment, salt))


def _format(found: Disclosed) -> bytes:
    salt = base64.b64encode(found.opening.salt).decode()
    fields = {"commitment": str(found.opening.commitment), "index": found.index, "salt": salt}
    return json.dumps(fields).encode() + b"\n"


def _parse(line: bytes) -> Disclosed | None:
    """Read a line; None for what a crash left of one."""
    try:
        return parse_opening(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None
