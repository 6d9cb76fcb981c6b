"""A group of identity commitments as a LeanIMT: a binary Merkle tree without zero hashes.

A node without a right sibling is promoted unchanged, so the depth is ceil(log2(size)).
Semaphore v4; "LeanIMT: An optimized Incremental Merkle Tree", zk-kit, 2024.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from identity_proofs.errors import MemberExists, UnknownMember
from identity_proofs.field import SCALAR_FIELD, parse_commitment
from identity_proofs.lean_imt import (
    NODE_BYTES,
    collect_path,
    decode_node,
    decode_nodes,
    encode_nodes,
    parents,
)
from identity_proofs.poseidon import poseidon

REMOVED = 0
"""The leaf that stays in a removed member's place; its index is never used again."""


@dataclass(frozen=True)
class MerkleProof:
    """The path from a leaf to the root; levels without a sibling are left out.

    `index` packs the path's bits, lowest level first (1: our node is the right one), one bit for
    each of the `siblings`. All values are integers in [0, r).
    """

    root: int
    leaf: int
    index: int
    siblings: tuple[int, ...]

    def verify(self) -> bool:
        """Tell whether hashing the leaf with the siblings gives the root."""
        if not self.is_in_range():
            return False
        node = self.leaf
        for level, sibling in enumerate(self.siblings):
            pair = (sibling, node) if self.index >> level & 1 else (node, sibling)
            node = poseidon(pair)
        return node == self.root

    def is_in_range(self) -> bool:
        """Tell whether every node is in [0, r) and the index has a bit for each sibling at most."""
        nodes = (self.root, self.leaf, *self.siblings)
        has_bits = 0 <= self.index < 1 << len(self.siblings)
        return has_bits and all(0 <= node < SCALAR_FIELD for node in nodes)


class Group:
    """Members in order of insertion. Not safe for concurrent change: one owner, or a lock."""

    def __init__(self, members: Iterable[int] = ()) -> None:
        """Insert `members`, identity commitments, in order; raises as `insert_many` does."""
        self._levels = [bytearray()]  # nodes; leaves first, the root's level last
        self._index: dict[int, int] = {}
        self.insert_many(members)

    @property
    def root(self) -> int:
        """The Merkle root in [0, r); 0 when the group is empty."""
        return decode_node(bytes(self._levels[-1]))

    @property
    def size(self) -> int:
        """The number of leaves, removed members included."""
        return len(self._levels[0]) // NODE_BYTES

    @property
    def depth(self) -> int:
        """The number of levels above the leaves: ceil(log2(size)), 0 when empty."""
        return len(self._levels) - 1

    @property
    def members(self) -> tuple[int, ...]:
        """The leaves in order; 0 where a member was removed."""
        return tuple(decode_nodes(bytes(self._levels[0])))

    def __contains__(self, commitment: object) -> bool:
        return commitment in self._index

    def index_of(self, commitment: int) -> int:
        """Return the member's leaf index; raises `UnknownMember`."""
        try:
            return self._index[commitment]
        except KeyError:
            raise UnknownMember("This commitment is not a member of the group.") from None

    def insert(self, commitment: int) -> None:
        """Add one member. Raises as `insert_many` does."""
        self.insert_many((commitment,))

    def insert_many(self, commitments: Iterable[int]) -> None:
        """Add members in order, all or none; each parent that changes is hashed once.

        Raises `InvalidCommitment` for 0 or a value not below r, and `MemberExists` for a
        commitment in the group already or twice among `commitments`.
        """
        leaves = [parse_commitment(commitment) for commitment in commitments]
        self._refuse_known(leaves)
        start = self.size
        self._levels[0] += encode_nodes(leaves)
        self._index.update(zip(leaves, range(start, self.size), strict=True))
        self._hash_from(start)

    def update(self, index: int, commitment: int) -> None:
        """Replace the member at `index`.

        Raises `UnknownMember` if no member is there or it was removed, and `InvalidCommitment` or
        `MemberExists` as `insert_many` does.
        """
        old = self._member_at(index)
        commitment = parse_commitment(commitment)
        self._refuse_known([commitment])
        self._set_leaf(index, commitment)
        del self._index[old]
        self._index[commitment] = index

    def remove(self, index: int) -> None:
        """Put 0 in the member's place. Raises `UnknownMember` if no member is at `index`."""
        old = self._member_at(index)
        self._set_leaf(index, REMOVED)
        del self._index[old]

    def proof(self, index: int) -> MerkleProof:
        """Prove the member at `index`. Raises `UnknownMember` if no member is there."""
        leaf = self._member_at(index)
        bits, siblings = collect_path(index, self.depth, self._node)
        return MerkleProof(self.root, leaf, bits, siblings)

    def nodes(self, height: int, start: int, stop: int) -> bytes:
        """Return the nodes `start` to `stop` of a level, as far as they exist; leaves have 0."""
        return bytes(self._levels[height][NODE_BYTES * start : NODE_BYTES * stop])

    def _node(self, height: int, index: int) -> bytes | None:
        return self.nodes(height, index, index + 1) or None

    def _member_at(self, index: int) -> int:
        leaf = decode_node(self.nodes(0, index, index + 1)) if 0 <= index < self.size else REMOVED
        if leaf == REMOVED:
            raise UnknownMember(f"The group has no member at index {index}.")
        return leaf

    def _refuse_known(self, commitments: list[int]) -> None:
        seen: set[int] = set()
        for commitment in commitments:
            if commitment in self._index or commitment in seen:
                raise MemberExists("This commitment is a member of the group already.")
            seen.add(commitment)

    def _set_leaf(self, index: int, leaf: int) -> None:
        node = encode_nodes((leaf,))
        for height, level in enumerate(self._levels):
            level[NODE_BYTES * index : NODE_BYTES * (index + 1)] = node
            index >>= 1
            node = parents(self.nodes(height, 2 * index, 2 * index + 2))

    def _hash_from(self, start: int) -> None:
        """Hash again every parent over the leaves from `start` to the end."""
        height = 0
        while len(level := self._levels[height]) > NODE_BYTES:
            start >>= 1
            height += 1
            if height == len(self._levels):
                self._levels.append(bytearray())
            self._levels[height][NODE_BYTES * start :] = parents(
                bytes(level[2 * NODE_BYTES * start :])
            )
