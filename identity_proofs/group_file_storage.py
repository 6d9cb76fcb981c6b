"""The files of a persistent group: one append-only file a level, and two commit records.

`level-NN` holds the complete nodes of a level, those whose 2^NN leaves all exist: they never
change when members are appended. The changing nodes on the right edge are in no file; they follow
from the complete ones by at most one hash a level.

`head` holds the last two commit records in turn, each under a SHA-256 digest. A record carries the
nodes that its commit overwrites (a removal or an update changes one a level), so that the files
themselves may still hold the old ones.
"""

import hashlib
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from identity_proofs.errors import GroupFileDamaged, GroupFileMissing
from identity_proofs.lean_imt import NODE_BYTES

_HEAD = "head"
_SLOT_BYTES = 4096  # a record with an overwritten node at each of 33 levels has 1.6 KB
_FIXED = struct.Struct("<8sQQQ32sI")
_OVERWRITE = struct.Struct("<IQ32s")
_MAGIC = b"LeanIMT1"
_DIGEST_BYTES = 32


@dataclass(frozen=True)
class CommitRecord:
    """One committed state of the group.

    `sequence` counts commits, `updates` those that put another member in a place. `overwrites`
    maps (height, index) to the node there, where the level's file may hold an older one.
    """

    sequence: int = 0
    size: int = 0
    updates: int = 0
    root: bytes = bytes(NODE_BYTES)
    overwrites: Mapping[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def replacement(self) -> tuple[int, bytes] | None:
        """The index and the new leaf, if this commit put another member in a place."""
        leaves = ((i, leaf) for (height, i), leaf in self.overwrites.items() if height == 0)
        return next((place for place in leaves if any(place[1])), None)

    def encode(self) -> bytes:
        """Write the record and its digest."""
        counts = (self.sequence, self.size, self.updates, self.root, len(self.overwrites))
        nodes = (_OVERWRITE.pack(*place, node) for place, node in self.overwrites.items())
        body = _FIXED.pack(_MAGIC, *counts) + b"".join(nodes)
        return body + hashlib.sha256(body).digest()

    @classmethod
    def decode(cls, slot: bytes) -> "CommitRecord | None":
        """Read a record; None if the slot holds none, or one that was not written to its end."""
        if len(slot) < _FIXED.size or not slot.startswith(_MAGIC):
            return None
        _, sequence, size, updates, root, count = _FIXED.unpack_from(slot)
        end = _FIXED.size + count * _OVERWRITE.size
        if hashlib.sha256(slot[:end]).digest() != slot[end : end + _DIGEST_BYTES]:
            return None
        entries = _OVERWRITE.iter_unpack(slot[_FIXED.size : end])
        overwrites = {(height, index): node for height, index, node in entries}
        return cls(sequence, size, updates, root, overwrites)


class HeadFile:
    """Two slots for commit records; the newer one that is whole is the group's state."""

    def __init__(self, directory: Path, *, writable: bool) -> None:
        """Open it. Raises `GroupFileMissing` if `directory` holds no group."""
        flags = os.O_RDWR if writable else os.O_RDONLY
        try:
            self._file = os.open(directory / _HEAD, flags)
        except FileNotFoundError:
            raise GroupFileMissing(
                f"{directory} holds no group; a writer creates one there."
            ) from None

    @staticmethod
    def create(directory: Path) -> None:
        """Put an empty group's record in place at once; does nothing where there is one."""
        path, draft = directory / _HEAD, directory / f"{_HEAD}.new"
        if path.exists():
            return
        file = os.open(draft, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(file, CommitRecord().encode(), 0)
        os.fsync(file)
        os.close(file)
        draft.rename(path)

    def read(self) -> CommitRecord:
        """Return the newest record. Raises `GroupFileDamaged` if neither slot is whole."""
        slots = (os.pread(self._file, _SLOT_BYTES, slot * _SLOT_BYTES) for slot in (0, 1))
        records = [record for record in map(CommitRecord.decode, slots) if record is not None]
        if not records:
            raise GroupFileDamaged("Neither commit record is whole: build the group again.")
        return max(records, key=lambda record: record.sequence)

    def commit(self, record: CommitRecord) -> None:
        """Make `record` the state, over the one before the last. Returns when it is durable."""
        os.pwrite(self._file, record.encode(), record.sequence % 2 * _SLOT_BYTES)
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


class LevelFiles:
    """The complete nodes of each level, memory-mapped for reading."""

    def __init__(self, directory: Path, *, writable: bool) -> None:
        self._directory = directory
        self._writable = writable
        self._files: list[int] = []
        self._maps: list[mmap.mmap | None] = []
        self._unsynced: set[int] = set()

    def map(self, height: int, count: int) -> mmap.mmap:
        """Map a level that has `count` > 0 nodes. Raises `GroupFileDamaged` if it has fewer."""
        self._open_to(height)
        mapped = self._maps[height]
        if mapped is None or len(mapped) < count * NODE_BYTES:
            file = self._files[height]
            if os.fstat(file).st_size < count * NODE_BYTES:
                raise GroupFileDamaged(f"Level {height} has lost nodes: build the group again.")
            # The old map stays open while a view of it is in use.
            mapped = self._maps[height] = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
        return mapped

    def write(self, height: int, start: int, nodes: bytes) -> None:
        """Write nodes of a level from the index `start`; durable after `sync`."""
        self._open_to(height)
        at = start * NODE_BYTES
        view = memoryview(nodes)
        while view:
            written = os.pwrite(self._files[height], view, at)
            view, at = view[written:], at + written
            self._unsynced.add(height)

    def sync(self) -> None:
        """Return when all that was written is durable, new files' names included."""
        for height in sorted(self._unsynced):
            os.fsync(self._files[height])
        self._unsynced.clear()

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files.clear()

    def _open_to(self, height: int) -> None:
        while len(self._files) <= height:
            path = self._directory / f"level-{len(self._files):02}"
            self._files.append(self._open(path))
            self._maps.append(None)

    def _open(self, path: Path) -> int:
        if self._writable:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            sync_directory(self._directory)
            return file
        try:
            return os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise GroupFileDamaged(f"{path.name} is missing: build the group again.") from None


def sync_directory(directory: Path) -> None:
    """Make the names of new files durable."""
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
