"""How a tree of some size is cut into a snapshot's files, and the manifest that says so."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from identity_proofs.errors import SnapshotManifestInvalid
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.lean_imt import NODE_BYTES

DEFAULT_CHUNK_BITS = 14
"""16,384 members or more fetch the same files."""

MAX_CHUNK_BITS = 20
MAX_SIZE = 1 << 32
MANIFEST_BYTES = 512  # at most
DIGEST_BYTES = 32
ENTRY_BYTES = NODE_BYTES + DIGEST_BYTES
_NO_NAME = "0" * 2 * DIGEST_BYTES
_FORMAT = "lean-imt-snapshot-1"


@dataclass(frozen=True)
class SnapshotManifest:
    """What a snapshot is of and where it begins.

    `root` is in [1, r), `size` counts leaves, `chunk_bits` is k, `top` the name of the file on top:
    64 hexadecimal digits. Raises `SnapshotManifestInvalid` for values out of range.
    """

    root: int
    size: int
    chunk_bits: int
    top: str

    def __post_init__(self) -> None:
        sound = (
            0 < self.root < SCALAR_FIELD
            and 0 < self.size <= MAX_SIZE
            and 0 < self.chunk_bits <= MAX_CHUNK_BITS
            and len(self.top) == 2 * DIGEST_BYTES
            and set(self.top) <= set("0123456789abcdef")
        )
        if not sound:
            raise SnapshotManifestInvalid("The manifest's values are out of range.")

    @property
    def layers(self) -> int:
        """The number of files on the way to a leaf: the topmost layer is one file."""
        layer = 0
        while self.count(layer) >= 2 << self.chunk_bits:
            layer += 1
        return layer + 1

    def count(self, layer: int) -> int:
        """Return how many nodes the layer's files hold: leaves in layer 0."""
        return -(-self.size >> layer * self.chunk_bits)

    def file(self, layer: int, node: int) -> range:
        """Return the nodes in the file that holds `node`; the last file takes the rest too."""
        last = max(1, self.count(layer) >> self.chunk_bits) - 1
        number = min(node >> self.chunk_bits, last)
        start = number << self.chunk_bits
        return range(start, self.count(layer) if number == last else start + self._chunk)

    def files(self, layer: int) -> Iterator[range]:
        """Yield the nodes of each file of a layer."""
        for start in range(0, max(1, self.count(layer) - self._chunk + 1), self._chunk):
            yield self.file(layer, start)

    @property
    def _chunk(self) -> int:
        return 1 << self.chunk_bits

    def to_json(self) -> bytes:
        """Write it as JSON; the root in decimal digits."""
        fields = {"format": _FORMAT, **asdict(self), "root": str(self.root)}
        return json.dumps(fields, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "SnapshotManifest":
        """Read it. Raises `SnapshotManifestInvalid`."""
        match _parse_json(content):
            case {
                "format": str(form),
                "root": str(root),
                "size": int(size),
                "chunk_bits": int(chunk_bits),
                "top": str(top),
            } if form == _FORMAT and root.isascii() and root.isdecimal():
                return cls(int(root), size, chunk_bits, top)
        raise SnapshotManifestInvalid(f"This is no manifest of the format {_FORMAT}.")


def _parse_json(content: bytes) -> object:
    try:
        return json.loads(content) if len(content) <= MANIFEST_BYTES else None
    except ValueError:
        return None


def manifest_name(root: int) -> str:
    """Return the name of the file that describes the group with this root."""
    return f"{root:064x}.json"


def shape_of(root: int, size: int, chunk_bits: int) -> SnapshotManifest:
    """Return the manifest of a snapshot that has no files yet."""
    return SnapshotManifest(root, size, chunk_bits, _NO_NAME)


def wallet_download_bytes(size: int, chunk_bits: int = DEFAULT_CHUNK_BITS) -> int:
    """Return the most bytes that a member of a group of `size` leaves fetches for its path."""
    shape = shape_of(1, size, chunk_bits)
    longest = [len(shape.file(layer, shape.count(layer) - 1)) for layer in range(shape.layers)]
    return MANIFEST_BYTES + longest[0] * NODE_BYTES + sum(longest[1:]) * ENTRY_BYTES
