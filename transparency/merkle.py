"""The Merkle tree of RFC 6962, section 2, and its proofs as RFC 9162, section 2.1, checks them.

Everything is said of perfect subtrees: the node (level, number) has the 2^level leaves from
number * 2^level on. Such a node never changes once its leaves are there, so that it can be stored,
and the hash of any range that a proof names is folded from at most one of them a level.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from transparency.errors import LogRangeInvalid, ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """A perfect subtree: 2^level leaves, the first of which is leaf number * 2^level."""

    level: int
    number: int


class Range(NamedTuple):
    """The leaves begin, begin + 1, ..., end - 1."""

    begin: int
    end: int


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf: 32 bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one: 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(leaves: Range) -> list[Node]:
    """Split a range into as few perfect subtrees as possible, from left to right."""
    begin, end = leaves
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        nodes.append(Node(level, begin >> level))
        begin += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of a range from those of its subtrees, left to right."""
    if not hashes:
        return EMPTY_ROOT
    *rest, folded = hashes
    for left in reversed(rest):
        folded = node_hash(left, folded)
    return folded


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """What an inclusion proof of leaf `index` in the first `size` leaves names, leaf side first.

    Raises:
        LogRangeInvalid: there is no such leaf.
    """
    if not 0 <= index < size:
        raise LogRangeInvalid(f"the log has no entry {index} among its first {size}")
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(begin, middle))
            begin = middle
    return path[::-1]


def consistency_ranges(first: int, second: int) -> list[Range]:
    """What a proof names that the first `first` of `second` leaves are those of the smaller tree.

    Raises:
        LogRangeInvalid: the sizes are not 0 <= first <= second.
    """
    if not 0 <= first <= second:
        raise LogRangeInvalid(f"the log never grew from {first} to {second} entries")
    begin, end, path, whole = 0, second, [], True
    while first not in (0, end):
        middle = begin + _split(end - begin)
        if first <= middle:
            path.append(Range(middle, end))
            end = middle
        else:
            path.append(Range(begin, middle))
            begin, whole = middle, False
    return path[::-1] if whole else [Range(begin, end), *path[::-1]]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is in a tree: RFC 9162, section 2.1.3.2.

    Args:
        leaf: its hash, 32 bytes.
        index: its place, counted from 0.
        size: leaves of the tree.
        proof: hashes of 32 bytes.
        root: of the tree.

    Raises:
        ProofInvalid: it is not shown to be.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"no tree of {size} leaves has a leaf {index}")
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the inclusion proof is too long")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or found != root:
        raise ProofInvalid(f"the proof does not show that leaf {index} is in the tree")


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Check that a tree is an earlier one with leaves added: RFC 9162, section 2.1.4.2.

    Args:
        first: leaves of the earlier tree.
        second: leaves of the later tree.
        proof: hashes of 32 bytes.
        first_root: of the earlier tree.
        second_root: of the later tree.

    Raises:
        ProofInvalid: it is not shown to be.
    """
    if not 0 <= first <= second:
        raise ProofInvalid(f"a log cannot grow from {first} to {second} entries")
    if first in (0, second):
        expected = second_root if first else EMPTY_ROOT
        if proof or first_root != expected:
            raise ProofInvalid(f"two trees of {first} leaves differ")
        return
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        raise ProofInvalid("the consistency proof is empty")
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("the consistency proof is too long")
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or old != first_root or new != second_root:
        raise ProofInvalid(f"the tree of {second} leaves is not that of {first} with leaves added")


class Tree:
    """Roots and proofs at any size, from stored subtrees.

    Args:
        read: gives the hashes of perfect subtrees, each of which is complete; called once a
            root or proof.
    """

    def __init__(self, read: Callable[[Sequence[Node]], Mapping[Node, bytes]]) -> None:
        self._read = read

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves."""
        return self._hashes([Range(0, size)])[0]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove that leaf `index` is among the first `size`.

        Raises:
            LogRangeInvalid: there is no such leaf.
        """
        return self._hashes(inclusion_ranges(index, size))

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Prove that the first `second` leaves begin with the first `first`.

        Raises:
            LogRangeInvalid: the sizes are not 0 <= first <= second.
        """
        return self._hashes(consistency_ranges(first, second))

    def _hashes(self, ranges: Sequence[Range]) -> list[bytes]:
        parts = [subtrees(leaves) for leaves in ranges]
        hashes = self._read([node for nodes in parts for node in nodes])
        return [fold([hashes[node] for node in nodes]) for nodes in parts]


class Frontier:
    """The right edge of a growing tree: enough to append to it, and to know its root.

    Args:
        size: leaves so far.
        hashes: of the perfect subtrees that these leaves split into, left to right.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)

    @property
    def root(self) -> bytes:
        return fold(self.hashes)

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add a leaf's hash; returns the nodes that it completes, itself first."""
        node, found = Node(0, self.size), leaf
        completed = [(node, found)]
        while node.number & 1:
            found = node_hash(self.hashes.pop(), found)
            node = Node(node.level + 1, node.number >> 1)
            completed.append((node, found))
        self.hashes.append(found)
        self.size += 1
        return completed


class MemoryTree(Tree):
    """A tree of leaf hashes that are all at hand: 64 bytes a leaf."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        super().__init__(lambda nodes: {node: self._hash(node) for node in nodes})
        self._frontier = Frontier()
        self._levels: list[bytearray] = []  # of each level, the hashes of its complete nodes
        self.extend(leaves)

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return self._frontier.size

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add hashes of leaves."""
        for leaf in leaves:
            for node, found in self._frontier.append(leaf):
                if node.level == len(self._levels):
                    self._levels.append(bytearray())
                self._levels[node.level] += found

    def root_with(self, leaves: Iterable[bytes]) -> bytes:
        """The root that it would have with more leaves."""
        frontier = Frontier(self._frontier.size, self._frontier.hashes)
        for leaf in leaves:
            frontier.append(leaf)
        return frontier.root

    def _hash(self, node: Node) -> bytes:
        at = node.number * HASH_BYTES
        return bytes(self._levels[node.level][at : at + HASH_BYTES])


def _split(count: int) -> int:
    """The largest power of two below `count`, of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)
