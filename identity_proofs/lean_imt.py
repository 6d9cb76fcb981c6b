"""The LeanIMT's rules over raw nodes, shared by the group in memory, on disk and in snapshots.

A node is an integer in [0, r), 32 bytes little-endian. A parent is the Poseidon hash of its two
children; a node without a right sibling is promoted unchanged. The depth of n leaves is
ceil(log2(n)). "LeanIMT: An optimized Incremental Merkle Tree", zk-kit, 2024.
"""

from collections.abc import Callable, Iterable

from identity_proofs.field import SCALAR_FIELD
from identity_proofs.poseidon import poseidon_pairs

NODE_BYTES = 32
_TOP_WORD = SCALAR_FIELD >> 192


def encode_nodes(values: Iterable[int]) -> bytes:
    """Write integers in [0, r) as nodes, one after another."""
    return b"".join(value.to_bytes(NODE_BYTES, "little") for value in values)


def decode_node(node: bytes) -> int:
    """Read one node's integer."""
    return int.from_bytes(node, "little")


def decode_nodes(nodes: bytes) -> list[int]:
    """Read the integers of nodes that follow one another."""
    starts = range(0, len(nodes), NODE_BYTES)
    return [int.from_bytes(nodes[at : at + NODE_BYTES], "little") for at in starts]


def depth_of(size: int) -> int:
    """Return the number of levels above `size` leaves: ceil(log2(size)), 0 when empty."""
    return max(size - 1, 0).bit_length()


def parents(nodes: bytes) -> bytes:
    """Return the parents of nodes that begin at an even index and reach their level's end."""
    paired = len(nodes) // (2 * NODE_BYTES) * 2 * NODE_BYTES
    return poseidon_pairs(nodes[:paired]) + nodes[paired:]


def collect_path(
    index: int, depth: int, node: Callable[[int, int], bytes | None]
) -> tuple[int, tuple[int, ...]]:
    """Walk from a leaf `depth` levels up and collect the siblings that exist.

    `node(height, index)` returns the node there, or None past the level's end. Returns the path's
    bits, lowest level first (1: our node is the right one), one for each sibling, and the siblings.
    """
    bits = 0
    siblings: list[int] = []
    for height in range(depth):
        sibling = node(height, index ^ 1)
        if sibling is not None:
            bits |= (index & 1) << len(siblings)
            siblings.append(decode_node(sibling))
        index >>= 1
    return bits, tuple(siblings)


def are_in_field(nodes: bytes) -> bool:
    """Tell whether every node is below r."""
    import numpy as np  # a wallet that proves never comes here, and NumPy takes long to import

    top_words = np.frombuffer(nodes, "<u8")[3::4]
    doubtful = np.flatnonzero(top_words >= _TOP_WORD)  # nearly none: r's top word is one of 2^62
    return all(
        decode_node(nodes[NODE_BYTES * at : NODE_BYTES * (at + 1)]) < SCALAR_FIELD
        for at in doubtful
    )
