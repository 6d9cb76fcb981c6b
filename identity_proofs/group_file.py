"""A group of any size on disk: opened at once, crash-safe, with one writer and many readers.

This is the reader; `group_file_writer` says in which order a commit is written, and why a crash
leaves the last state or the new one, and never another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from identity_proofs.errors import GroupFileDamaged, IdentityProofsError, UnknownMember
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.group import REMOVED, MerkleProof
from identity_proofs.group_file_storage import CommitRecord, HeadFile, LevelFiles
from identity_proofs.lean_imt import (
    NODE_BYTES,
    are_in_field,
    collect_path,
    decode_node,
    decode_nodes,
    depth_of,
    encode_nodes,
    parents,
)
from identity_proofs.member_lookup import MemberLookup, low_words

_CHECKED_ON_OPENING = 64  # nodes of the widest level that is hashed again
_RUN = 1 << 16  # nodes hashed at a time by `verify`
_LOW_WORD = (1 << 64) - 1

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _State:
    """A commit record with the nodes that no file holds: the incomplete one of each level."""

    record: CommitRecord
    edge: tuple[bytes | None, ...]

    @property
    def depth(self) -> int:
        return len(self.edge) - 1


class GroupFile:
    """The reader: the same answers as `Group`, each from one committed state.

    Not for use by several threads at once; open one a thread. POSIX only.
    """

    def __init__(self, directory: Path, *, _writable: bool = False) -> None:
        """Open the group in `directory` and check its top levels against its root.

        Raises `GroupFileMissing`, or `GroupFileDamaged` if they do not fit.
        """
        self._head = HeadFile(directory, writable=_writable)
        self._levels = LevelFiles(directory, writable=_writable)
        self._state: _State | None = None
        self._lookup: MemberLookup | None = None
        self._lookup_updates = 0
        try:
            self._ask(self._check_top)
        except BaseException:
            GroupFile.close(self)
            raise

    def close(self) -> None:
        """Close the files; the object is of no use afterwards."""
        self._levels.close()
        self._head.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def root(self) -> int:
        """The Merkle root in [0, r); 0 when the group is empty."""
        return decode_node(self._head.read().root)

    @property
    def size(self) -> int:
        """The number of leaves, removed members included."""
        return self._head.read().size

    @property
    def depth(self) -> int:
        """The number of levels above the leaves: ceil(log2(size)), 0 when empty."""
        return depth_of(self.size)

    @property
    def members(self) -> tuple[int, ...]:
        """The leaves in order; 0 where a member was removed. All are read into memory."""
        return tuple(decode_nodes(self._ask(self._all_leaves)))

    def __contains__(self, commitment: object) -> bool:
        return isinstance(commitment, int) and self._find(commitment) is not None

    def index_of(self, commitment: int) -> int:
        """Return the member's leaf index; raises `UnknownMember`.

        The first call sorts the leaves' low words: 0.1 s and 12 MB for a million.
        """
        index = self._find(commitment)
        if index is None:
            raise UnknownMember("This commitment is not a member of the group.")
        return index

    def proof(self, index: int) -> MerkleProof:
        """Prove the member at `index`. Raises `UnknownMember` if no member is there."""
        return self._ask(lambda state: self._prove(state, index))

    def nodes(self, height: int, start: int, stop: int) -> bytes:
        """Return the nodes `start` to `stop` of a level, as far as they exist; leaves have 0."""
        return self._ask(lambda state: self._range(state, height, start, stop))

    def verify(self) -> None:
        """Hash the whole tree again. Raises `GroupFileDamaged` where a node is not its children's.

        One hash a member: some twenty seconds for a million.
        """
        self._ask(self._check_all)

    def _ask(self, question: Callable[[_State], Answer]) -> Answer:
        """Answer from one committed state; again, if a commit came in between."""
        while True:
            record = self._head.read()
            try:
                answer = question(self._state_of(record))
            except IdentityProofsError:
                if self._head.read().sequence == record.sequence:
                    raise
                continue
            if self._head.read().sequence == record.sequence:
                return answer

    def _state_of(self, record: CommitRecord) -> _State:
        if self._state is None or self._state.record.sequence != record.sequence:
            state = self._derive(record)
            self._check_root(state)
            self._state = state
        return self._state

    def _check_root(self, state: _State) -> None:
        if self._root_of(state) != state.record.root:
            raise GroupFileDamaged("The tree does not have its root: build the group again.")

    def _derive(self, record: CommitRecord) -> _State:
        """Hash the right edge of the record's tree."""
        edge: list[bytes | None] = [None]
        for height in range(depth_of(record.size)):
            complete, node = record.size >> height, edge[-1]
            if complete & 1:
                node = parents(self._complete(record, height, complete - 1) + (node or b""))
            edge.append(node)
        return _State(record, tuple(edge))

    def _root_of(self, state: _State) -> bytes:
        return self._node(state, state.depth, 0) or bytes(NODE_BYTES)

    def _complete(self, record: CommitRecord, height: int, index: int) -> bytes:
        node = record.overwrites.get((height, index))
        if node is None:
            at = index * NODE_BYTES
            node = self._levels.map(height, index + 1)[at : at + NODE_BYTES]
        if decode_node(node) >= SCALAR_FIELD:
            raise GroupFileDamaged(f"Level {height} has a node above r: build the group again.")
        return node

    def _node(self, state: _State, height: int, index: int) -> bytes | None:
        complete = state.record.size >> height
        if index < complete:
            return self._complete(state.record, height, index)
        return state.edge[height] if index == complete else None

    def _range(self, state: _State, height: int, start: int, stop: int) -> bytes:
        if not 0 <= height <= state.depth:
            return b""
        complete = state.record.size >> height
        inside = range(start, min(stop, complete))
        nodes = bytearray()
        if inside:
            mapped = self._levels.map(height, inside.stop)
            nodes += mapped[inside.start * NODE_BYTES : inside.stop * NODE_BYTES]
        for (level, index), node in state.record.overwrites.items():
            if level == height and index in inside:
                at = (index - start) * NODE_BYTES
                nodes[at : at + NODE_BYTES] = node
        if start <= complete < stop:
            nodes += state.edge[height] or b""
        return bytes(nodes)

    def _all_leaves(self, state: _State) -> bytes:
        return self._range(state, 0, 0, state.record.size)

    def _prove(self, state: _State, index: int) -> MerkleProof:
        leaf = decode_node(self._member_at(state, index))
        bits, siblings = collect_path(index, state.depth, lambda h, i: self._node(state, h, i))
        return MerkleProof(decode_node(state.record.root), leaf, bits, siblings)

    def _member_at(self, state: _State, index: int) -> bytes:
        leaf = self._node(state, 0, index) if 0 <= index < state.record.size else None
        if leaf is None or not any(leaf):
            raise UnknownMember(f"The group has no member at index {index}.")
        return leaf

    def _find(self, commitment: int) -> int | None:
        if not REMOVED < commitment < 1 << 8 * NODE_BYTES:
            return None
        leaf = encode_nodes((commitment,))

        def index_in(state: _State) -> int | None:
            candidates = self._lookup_in(state).candidates(commitment & _LOW_WORD)
            return next((i for i in candidates if self._node(state, 0, i) == leaf), None)

        return self._ask(index_in)

    def _lookup_in(self, state: _State) -> MemberLookup:
        """Bring the lookup up to the state: by what changed, or by sorting all again."""
        record, lookup = state.record, self._lookup
        updates = record.updates - self._lookup_updates
        if lookup is not None and updates == 1 and record.replacement is not None:
            index, leaf = record.replacement
            lookup.move(index, int(low_words(leaf)[0]))
        elif updates:
            lookup = None
        if lookup is None or record.size - lookup.size > lookup.room:
            lookup = MemberLookup(low_words(self._all_leaves(state)))
        elif record.size > lookup.size:
            lookup.add(low_words(self._range(state, 0, lookup.size, record.size)))
        self._lookup, self._lookup_updates = lookup, record.updates
        return lookup

    def _check_top(self, state: _State) -> None:
        for height in range(state.depth, 0, -1):
            if state.record.size >> height - 1 > 2 * _CHECKED_ON_OPENING:
                break
            self._check_level(state, height)

    def _check_all(self, state: _State) -> None:
        self._check_root(self._derive(state.record))
        for start in range(0, state.record.size, _RUN):
            if not are_in_field(self._range(state, 0, start, start + _RUN)):
                raise GroupFileDamaged("A leaf is not below r: build the group again.")
        for height in range(1, state.depth + 1):
            self._check_level(state, height)

    def _check_level(self, state: _State, height: int) -> None:
        complete = state.record.size >> height
        for start in range(0, complete, _RUN):
            stop = min(start + _RUN, complete)
            nodes = self._range(state, height, start, stop)
            children = self._range(state, height - 1, 2 * start, 2 * stop)
            if not are_in_field(children) or parents(children) != nodes:
                raise GroupFileDamaged(
                    f"Level {height} has a node that is not its children's: build the group again."
                )
