"""A group's snapshot, from which a wallet builds its own path without saying which leaf it wants.

The tree is cut into layers of `chunk_bits` = k levels. A file of the lowest layer holds a chunk of
2^k leaves, 32 bytes each. A file of a layer above holds an entry of 64 bytes for each of 2^k chunks
of the layer below it: the chunk's node, and the SHA-256 digest that is its file's name. What is
left over at a layer's end is in its last whole file, which holds up to 2^(k+1) - 1. One file is
left on top; the manifest names it, and is itself named for the root.

A wallet fetches the manifest and one file a layer, the same as every member of its leaf file: 2^k
of them or more. It knows its chunk from its leaf index, which never changes and stands in its
enrolment's receipt; it asks nobody about its commitment. What it fetches at 2^30 members and
k = 14, and in the worst case below:

    leaves     2^14 *  32 bytes     524,288      (2^15 - 1) *  32   1,048,544
    layer 1    2^14 *  64 bytes   1,048,576      (2^15 - 1) *  64   2,097,088
    layer 2    2^2  *  64 bytes         256             2^2 *  64         256
    manifest                            512                               512
                                  1,573,632                         3,146,400
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
    names: list[bytes] = []  # of the file of each chunk in the layer below
    for layer in range(shape.layers):
        names_above: list[bytes] = []
        for places in shape.files(layer):
            nodes = group.nodes(layer * chunk_bits, places.start, places.stop)
            digest = _store(directory, _join(nodes, names[places.start : places.stop]))
            names_above += [digest] * -(-len(places) >> chunk_bits)
        names = names_above
    if group.root != shape.root:
        raise SnapshotGroupChanged("The group changed while its snapshot was written: try again.")
    manifest = replace(shape, top=names[0].hex())
    _write(directory / manifest_name(manifest.root), manifest.to_json())
    return manifest


def _join(nodes: bytes, names: list[bytes]) -> bytes:
    """Return a file's content: leaves alone, or nodes each with its file's name."""
    if not names:
        return nodes
    starts = range(0, len(nodes), NODE_BYTES)
    return b"".join(
        nodes[at : at + NODE_BYTES] + name for at, name in zip(starts, names, strict=True)
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


class _Subtree:
    """The levels over a run of nodes in one layer, from the node with the index `start`."""

    def __init__(self, start: int, nodes: bytes) -> None:
        if not are_in_field(nodes):
            raise SnapshotFileInvalid("A file holds a node above r.")
        self.start = start
        self.nodes = nodes
        self._levels = [nodes]
        while len(self._levels[-1]) > NODE_BYTES:
            self._levels.append(parents(self._levels[-1]))

    def check(self, top: bytes) -> None:
        if self._levels[-1] != top:
            raise SnapshotRootMismatch("The snapshot's nodes do not lead to the root.")

    def path(self, place: int) -> tuple[int, tuple[int, ...]]:
        return collect_path(place - self.start, len(self._levels) - 1, self._node)

    def _node(self, height: int, index: int) -> bytes | None:
        return self._levels[height][index * NODE_BYTES : (index + 1) * NODE_BYTES] or None


class SnapshotReader:
    """A wallet's view of a snapshot that anybody may serve: all is checked against the root."""

    def __init__(
        self, fetch: Fetch, root: int, size: int, chunk_bits: int = DEFAULT_CHUNK_BITS
    ) -> None:
        """Read the snapshot of the group whose `root` and `size` the caller has from the chain.

        `fetch` returns the content of the file with a name, and raises `OSError` if it cannot. The
        source has no say in `size` and `chunk_bits`: they decide how large the crowd is.
        """
        self._fetch = fetch
        self._shape = shape_of(root, size, chunk_bits)

    def manifest(self) -> SnapshotManifest:
        """Fetch the manifest.

        Raises `SnapshotFileMissing`, `SnapshotManifestInvalid`, or `SnapshotRootMismatch` if it is
        of another root, size or cut.
        """
        shape = self._shape
        manifest = SnapshotManifest.from_json(self._get_unchecked(manifest_name(shape.root)))
        if replace(manifest, top=shape.top) != shape:
            raise SnapshotRootMismatch(
                "The manifest is of another group, or cuts it otherwise: ask another source."
            )
        return manifest

    def proof(self, commitment: int, chunk_index: int) -> MerkleProof:
        """Prove a member by the files that every member of its chunk fetches.

        `chunk_index` is the leaf index >> chunk_bits. What is fetched depends on it alone.

        Raises `UnknownMember` if the chunk does not hold `commitment`, `SnapshotFileMissing`,
        `SnapshotFileTampered` (not the digest it is named for), `SnapshotFileInvalid` (wrong length
        or a node above r), `SnapshotRootMismatch` (nodes that do not lead to the root), and as
        `manifest` does.
        """
        commitment = parse_commitment(commitment)
        if not 0 <= chunk_index < self._shape.count(1):
            raise UnknownMember(f"The group has no chunk {chunk_index}.")
        subtrees = self._fetch_subtrees(chunk_index)
        index = _find(subtrees[0], commitment)
        bits = 0
        siblings: tuple[int, ...] = ()
        for layer, subtree in enumerate(subtrees):
            turns, found = subtree.path(index >> layer * self._shape.chunk_bits)
            bits |= turns << len(siblings)
            siblings += found
        return MerkleProof(self._shape.root, commitment, bits, siblings)

    def _fetch_subtrees(self, chunk_index: int) -> list[_Subtree]:
        """Fetch one file a layer from the top down, each checked against the node above it."""
        shape, bits = self._shape, self._shape.chunk_bits
        subtrees: list[_Subtree] = []
        name, node = self.manifest().top, encode_nodes((shape.root,))
        for layer in reversed(range(shape.layers)):
            chunk = chunk_index >> layer * bits
            places = shape.file(layer, chunk << bits)
            nodes, names = _split(self._get(name, len(places) * _width(layer)), _width(layer))
            # Below the top, a file's other chunk has a node of its own above it.
            chunk_only = range(chunk << bits, min(chunk + 1 << bits, places.stop))
            own = chunk_only if subtrees else places
            subtree = _Subtree(own.start, nodes[_bytes_of(own, places.start)])
            subtree.check(node)
            subtrees.append(subtree)
            if layer:
                place = chunk_index >> (layer - 1) * bits
                first = shape.file(layer - 1, place << bits).start >> bits
                node = nodes[_bytes_of(range(place, place + 1), places.start)]
                # Chunks that share a file take the first one's name for it.
                name = names[first - places.start]
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


def _find(leaves: _Subtree, commitment: int) -> int:
    """Return the commitment's leaf index."""
    leaf = encode_nodes((commitment,))
    for at in range(0, len(leaves.nodes), NODE_BYTES):
        if leaves.nodes.startswith(leaf, at):
            return leaves.start + at // NODE_BYTES
    raise UnknownMember("The chunk does not hold this commitment: is its index right?")


def _width(layer: int) -> int:
    return ENTRY_BYTES if layer else NODE_BYTES


def _split(content: bytes, width: int) -> tuple[bytes, list[str]]:
    """Split a file into its nodes and the names of the files below."""
    if width == NODE_BYTES:
        return content, []
    starts = range(0, len(content), width)
    nodes = b"".join(content[at : at + NODE_BYTES] for at in starts)
    return nodes, [content[at + NODE_BYTES : at + width].hex() for at in starts]


def _bytes_of(places: range, first: int) -> slice:
    """Return where the nodes `places` are among nodes from the index `first`."""
    return slice((places.start - first) * NODE_BYTES, (places.stop - first) * NODE_BYTES)
