"""The writer of a group on disk, and the order of its commits.

Every commit follows one order, and nothing else decides what a crash leaves:

1. the nodes that the last commit overwrote are put into the level files, and the new nodes after
   the old ones;
2. the level files are synced;
3. the commit record is written over the one before the last, and synced: the commit point.

What step 1 touches is either past the end of the last state or held by its record, so that a
crash before step 3 leaves the last state, and one after it the new. There is no recovery step.
"""

import fcntl
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from identity_proofs.errors import GroupFileLocked, MemberExists
from identity_proofs.field import parse_commitment
from identity_proofs.group import REMOVED
from identity_proofs.group_file import GroupFile
from identity_proofs.group_file_storage import CommitRecord, HeadFile, sync_directory
from identity_proofs.lean_imt import NODE_BYTES, encode_nodes, parents
from identity_proofs.member_lookup import low_words


class GroupFileWriter(GroupFile):
    """The one writer of a group; all of `Group`, each change durable when its method returns."""

    def __init__(self, directory: Path) -> None:
        """Open the group in `directory`, or create an empty one.

        Raises `GroupFileLocked` if another writer has it open, and as `GroupFile` does.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory / "lock")
        try:
            HeadFile.create(directory)
            sync_directory(directory)
            super().__init__(directory, _writable=True)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Close the files and let another writer in."""
        super().close()
        os.close(self._lock)

    def insert(self, commitment: int) -> None:
        """Add one member. Raises as `insert_many` does."""
        self.insert_many((commitment,))

    def insert_many(self, commitments: Iterable[int]) -> None:
        """Add members in order, all or none, in one commit.

        Raises `InvalidCommitment` for 0 or a value not below r, and `MemberExists` for a
        commitment in the group already or twice among `commitments`.
        """
        leaves = [parse_commitment(commitment) for commitment in commitments]
        nodes = encode_nodes(leaves)
        self._refuse_known(leaves, nodes)
        if not leaves:
            return
        last = self._begin()
        size = last.size + len(leaves)
        self._append(last, size, nodes)
        self._commit(replace(last, size=size, overwrites={}))

    def update(self, index: int, commitment: int) -> None:
        """Replace the member at `index`.

        Raises `UnknownMember` if no member is there or it was removed, and `InvalidCommitment` or
        `MemberExists` as `insert_many` does.
        """
        self._ask(lambda state: self._member_at(state, index))
        leaf = parse_commitment(commitment)
        node = encode_nodes((leaf,))
        self._refuse_known([leaf], node)
        last = self._begin()
        overwrites = self._path_of(last, index, node)
        self._commit(replace(last, updates=last.updates + 1, overwrites=overwrites))

    def remove(self, index: int) -> None:
        """Put 0 in the member's place. Raises `UnknownMember` if no member is at `index`."""
        self._ask(lambda state: self._member_at(state, index))
        last = self._begin()
        overwrites = self._path_of(last, index, encode_nodes((REMOVED,)))
        self._commit(replace(last, overwrites=overwrites))

    def _refuse_known(self, leaves: list[int], nodes: bytes) -> None:
        lookup = self._ask(self._lookup_in)
        held = lookup.may_hold(low_words(nodes)).nonzero()[0]
        if len(set(leaves)) < len(leaves) or any(leaves[i] in self for i in held):
            raise MemberExists("This commitment is a member of the group already.")

    def _begin(self) -> CommitRecord:
        """Put the last commit's overwrites into the files, so that its record can be given up."""
        last = self._head.read()
        for (height, index), node in last.overwrites.items():
            self._levels.write(height, index, node)
        return last

    def _append(self, last: CommitRecord, size: int, nodes: bytes) -> None:
        """Write the leaves, and at each level the nodes that they complete."""
        height = 0
        while nodes:
            first = last.size >> height
            self._levels.write(height, first, nodes)
            if first & 1:
                nodes = self._complete(last, height, first - 1) + nodes
            pairs = (size >> height + 1) - (first >> 1)
            nodes = parents(nodes[: 2 * pairs * NODE_BYTES])
            height += 1

    def _path_of(self, last: CommitRecord, index: int, node: bytes) -> dict[tuple[int, int], bytes]:
        """Return the complete nodes over the leaf at `index` if it becomes `node`."""
        path = {(0, index): node}
        height = 0
        while index >> 1 < last.size >> height + 1:
            sibling = self._complete(last, height, index ^ 1)
            node = parents(sibling + node if index & 1 else node + sibling)
            index >>= 1
            height += 1
            path[height, index] = node
        return path

    def _commit(self, record: CommitRecord) -> None:
        self._levels.sync()
        record = replace(record, sequence=record.sequence + 1)
        root = self._root_of(self._derive(record))
        self._head.commit(replace(record, root=root))


def _lock(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise GroupFileLocked(
            f"Another process writes the group in {path.parent}: stop it first, or open a reader."
        ) from None
    return file
