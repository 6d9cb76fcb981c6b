"""The indexes that a gallery can be given, by name."""

from uniqueness.compact_index import CompactIndex
from uniqueness.errors import IndexUnavailable
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gpu_shards import gpu_shards
from uniqueness.index import GalleryIndex
from uniqueness.index_kind import IndexKind
from uniqueness.rescoring import VectorsOf
from uniqueness.sharded_index import ShardedIndex


def open_index(
    kind: IndexKind,
    dimension: int,
    *,
    model: str,
    vectors_of: VectorsOf,
    milvus_uri: str | None = None,
    milvus_token: str = "",
) -> GalleryIndex:
    """Make an index for the templates of one model; empty, but for what Milvus kept.

    Args:
        kind: which.
        dimension: values of a template.
        model: its name and version, from which Milvus's collection is named.
        vectors_of: opens templates by their ids, for the compact and GPU indexes.
        milvus_uri: address of the cluster.
        milvus_token: what it asks for, `user:password` or an API key.

    Raises:
        IndexUnavailable: no GPU, no Milvus, or no client for it.
    """
    match kind:
        case IndexKind.FLAT:
            return FaissFlatIndex(dimension)
        case IndexKind.COMPACT:
            return CompactIndex(dimension, vectors_of)
        case IndexKind.GPU:
            return ShardedIndex(dimension, gpu_shards(dimension), vectors_of)
        case IndexKind.MILVUS:
            return _open_milvus(dimension, model, milvus_uri, milvus_token)


def _open_milvus(dimension: int, model: str, uri: str | None, token: str) -> GalleryIndex:
    if not uri:
        raise IndexUnavailable("set PERSONHOOD_MILVUS_URI to the address of the Milvus cluster")
    try:
        from uniqueness.milvus_index import MilvusIndex  # seconds, and an extra of its own
    except ModuleNotFoundError as missing:
        raise IndexUnavailable("install the extra `milvus` to use a Milvus cluster") from missing
    letters = [c if c.isascii() and c.isalnum() else "_" for c in model]
    return MilvusIndex.connect(uri, "templates_" + "".join(letters), dimension, token=token)
