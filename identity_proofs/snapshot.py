"""A group's snapshot, from which a wallet builds its own path without saying which leaf it wants.

The tree is cut into layers of `chunk_bits` = k levels. A file of the lowest layer holds a chunk of
2^k leaves, 32 bytes each. A file of a layer above holds an entry of 64 bytes for each of up to 2^k
chunks of the layer below it: the chunk's node, and the SHA-256 digest that is its file's name. One
file is left on top; the manifest names it, and is itself named for the root. Files that an epoch
shares with the last are there already.

A wallet fetches the manifest and one file a layer: the same as every member of its chunk, at least
2^k of them, since leaves past the last whole chunk lie in that chunk's file. It knows its chunk
from its leaf index, which never changes and stands in its enrolment's receipt; it asks nobody about
its commitment. For 2^30 members and k = 14, at most:

    leaves     2 * 2^14 * 32 bytes   1,048,576
    layer 1        2^14 * 64 bytes   1,048,576
    layer 2    2^30-28  * 64 bytes         256
    manifest                               512
                                     2,097,920 bytes
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from identity_proofs.errors import (
    SnapshotFileInvalid,
    SnapshotFileMissing,
    SnapshotFileTampered,
    SnapshotGroupChanged,
    SnapshotManifestInvalid,
    SnapshotRootMismatch,
    UnknownMember,
)
from identity_proofs.field import parse_commitment
from identity_proofs.group import MerkleProof
from identity_proofs.lean_imt import NODE_BYTES, are_in_field, collect_path, encode_nodes, parents
from identity_proofs.snapshot_manifest import (
    DEFAULT_CHUNK_BITS,
    ENTRY_BYTES,
    SnapshotManifest,
    manifest_name,
    shape_of,
)

Fetch = Callable[[str], bytes]
Subtree = list[bytes]  # the levels of one file's nodes, lowest first


class Tree(Protocol):
    """What a snapshot is taken of: `Group` or `GroupFile`."""

    @property
    def root(self) -> int: ...

    @property
    def size(self) -> int: ...

    def nodes(self, height: int, start: int, stop: int) -> bytes: ...


def write_snapshot(
    group: Tree, directory: Path, chunk_bits: int = DEFAULT_CHUNK_BITS
) -> SnapshotManifest:
    """Write the group's files into `directory`, the manifest last; files there already stay.

    Raises `SnapshotGroupChanged` if the group changed meanwhile, `SnapshotManifestInvalid` for an
    empty group or `chunk_bits` outside [1, 20], and `OSError`.
    """
    shape = shape_of(group.root, group.size, chunk_bits)
    directory.mkdir(parents=True, exist_ok=True)
    digests: list[bytes] = []  # of the file of each chunk
    for leaves in shape.leaf_files():
        digest = _store(directory, group.nodes(0, leaves.start, leaves.stop))
        digests += [digest] * -(-len(leaves) >> chunk_bits)
    for layer in range(1, shape.layers):
        digests = [
            _store(directory, _entries(group, layer * chunk_bits, start, digests, chunk_bits))
            for start in range(0, len(digests), 1 << chunk_bits)
        ]
    if group.root != shape.root:
        raise SnapshotGroupChanged("The group changed while its snapshot was written: try again.")
    manifest = replace(shape, top=digests[0].hex())
    _write(directory / manifest_name(manifest.root), manifest.to_json())
    return manifest


def _entries(group: Tree, height: int, start: int, digests: list[bytes], chunk_bits: int) -> bytes:
    """Return a file's content: the nodes at `height` from `start`, each with its digest."""
    stop = min(start + (1 << chunk_bits), len(digests))
    nodes = group.nodes(height, start, stop)
    return b"".join(
        nodes[at * NODE_BYTES : (at + 1) * NODE_BYTES] + digest
        for at, digest in enumerate(digests[start:stop])
    )


def _store(directory: Path, content: bytes) -> bytes:
    """Write a file under its SHA-256 digest, and return that."""
    digest = hashlib.sha256(content).digest()
    path = directory / digest.hex()
    if not path.exists():
        _write(path, content)
    return digest


def _write(path: Path, content: bytes) -> None:
    """Put a whole file in place: under its name there is never a part of one."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class SnapshotReader:
    """A wallet's view of a snapshot that anybody may serve: all is checked against the root."""

    def __init__(self, fetch: Fetch, root: int, chunk_bits: int = DEFAULT_CHUNK_BITS) -> None:
        """Read the snapshot of the group with `root`, which the caller has from the chain.

        `fetch` returns the content of the file with a name, and raises `OSError` if it cannot. The
        wallet decides on `chunk_bits`: a source that cuts smaller chunks wants to know too much.
        """
        self._fetch = fetch
        self._root = root
        self._chunk_bits = chunk_bits

    def manifest(self) -> SnapshotManifest:
        """Fetch the manifest.

        Raises `SnapshotFileMissing`, `SnapshotManifestInvalid` (also for chunks of another size),
        or `SnapshotRootMismatch` if it is another root's.
        """
        manifest = SnapshotManifest.from_json(self._get_unchecked(manifest_name(self._root)))
        if manifest.root != self._root:
            raise SnapshotRootMismatch("The manifest is of a group with another root.")
        if manifest.chunk_bits != self._chunk_bits:
            raise SnapshotManifestInvalid(
                f"The snapshot is cut into chunks of 2^{manifest.chunk_bits} leaves; "
                f"2^{self._chunk_bits} were asked for."
            )
        return manifest

    def proof(self, commitment: int, chunk_index: int) -> MerkleProof:
        """Prove a member by the files that every member of its chunk fetches.

        `chunk_index` is the leaf index >> chunk_bits. What is fetched depends on it alone.

        Raises `UnknownMember` if the chunk does not hold `commitment` (a source can bring that
        about by a wrong size in the manifest: ask another one too), `SnapshotFileMissing`,
        `SnapshotFileTampered` (not the digest it is named for), `SnapshotFileInvalid` (wrong length
        or a node above r), `SnapshotRootMismatch` (nodes that do not lead to the root), and as
        `manifest` does.
        """
        commitment = parse_commitment(commitment)
        manifest = self.manifest()
        if not 0 <= chunk_index < manifest.count(1):
            raise UnknownMember(f"The group has no chunk {chunk_index}.")
        subtrees = self._fetch_subtrees(manifest, chunk_index)
        index = (chunk_index << manifest.chunk_bits) + _find(subtrees[0][0], commitment)
        bits = 0
        siblings: tuple[int, ...] = ()
        for layer, subtree in enumerate(subtrees):
            place = index >> layer * manifest.chunk_bits
            turns, found = _path_in(subtree, place % (1 << manifest.chunk_bits))
            bits |= turns << len(siblings)
            siblings += found
        return MerkleProof(self._root, commitment, bits, siblings)

    def _fetch_subtrees(self, manifest: SnapshotManifest, chunk_index: int) -> list[Subtree]:
        """Fetch one file a layer from the top down, each checked against the node above it."""
        subtrees: list[Subtree] = []
        name, node = manifest.top, encode_nodes((self._root,))
        for layer in range(manifest.layers - 1, 0, -1):
            place = chunk_index >> (layer - 1) * manifest.chunk_bits
            above, at = divmod(place, 1 << manifest.chunk_bits)
            rest = manifest.count(layer) - (above << manifest.chunk_bits)
            entries = self._get(name, min(rest, 1 << manifest.chunk_bits) * ENTRY_BYTES)
            nodes, names = _split_entries(entries)
            subtrees.append(_hash_up(nodes, node))
            node, name = nodes[at * NODE_BYTES : (at + 1) * NODE_BYTES], names[at]
        leaves = manifest.leaf_file(chunk_index)
        content = self._get(name, len(leaves) * NODE_BYTES)
        start = ((chunk_index << manifest.chunk_bits) - leaves.start) * NODE_BYTES
        chunk = content[start : start + (NODE_BYTES << manifest.chunk_bits)]
        subtrees.append(_hash_up(chunk, node))
        return subtrees[::-1]

    def _get(self, name: str, length: int) -> bytes:
        """Fetch a file of nodes by its digest."""
        content = self._get_unchecked(name)
        if hashlib.sha256(content).hexdigest() != name:
            raise SnapshotFileTampered(f"{name} is not what its name says: ask another source.")
        if len(content) != length:
            raise SnapshotFileInvalid(f"{name} has {len(content)} bytes and not {length}.")
        return content

    def _get_unchecked(self, name: str) -> bytes:
        try:
            return self._fetch(name)
        except OSError as error:
            raise SnapshotFileMissing(f"{name} cannot be fetched: ask another source.") from error


def _split_entries(entries: bytes) -> tuple[bytes, list[str]]:
    """Split a file above the leaves into its nodes and the names of the files below."""
    starts = range(0, len(entries), ENTRY_BYTES)
    nodes = b"".join(entries[at : at + NODE_BYTES] for at in starts)
    return nodes, [entries[at + NODE_BYTES : at + ENTRY_BYTES].hex() for at in starts]


def _hash_up(nodes: bytes, expected: bytes) -> Subtree:
    """Hash nodes up to the one above them all, which must be `expected`."""
    if not are_in_field(nodes):
        raise SnapshotFileInvalid("A file holds a node above r.")
    levels = [nodes]
    while len(levels[-1]) > NODE_BYTES:
        levels.append(parents(levels[-1]))
    if levels[-1] != expected:
        raise SnapshotRootMismatch("The snapshot's nodes do not lead to the root.")
    return levels


def _find(leaves: bytes, commitment: int) -> int:
    leaf = encode_nodes((commitment,))
    for index in range(len(leaves) // NODE_BYTES):
        if leaves.startswith(leaf, index * NODE_BYTES):
            return index
    raise UnknownMember("The chunk does not hold this commitment: is its index right?")


def _path_in(subtree: Subtree, place: int) -> tuple[int, tuple[int, ...]]:
    def node(height: int, index: int) -> bytes | None:
        return subtree[height][index * NODE_BYTES : (index + 1) * NODE_BYTES] or None

    return collect_path(place, len(subtree) - 1, node)
