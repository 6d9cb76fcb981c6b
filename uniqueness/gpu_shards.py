"""The GPUs of this machine, by whichever library finds them."""

from collections.abc import Sequence

from uniqueness.errors import IndexUnavailable
from uniqueness.faiss_gpu import float16_shards, gpu_count
from uniqueness.sharded_index import Shard


def gpu_shards(dimension: int) -> Sequence[Shard]:
    """An empty shard on each GPU: FAISS's float16 where it has GPUs, else ONNX Runtime's int8.

    Raises:
        IndexUnavailable: neither finds one.
    """
    if gpu_count():
        return float16_shards(dimension)
    return int8_shards(dimension)


def int8_shards(dimension: int) -> Sequence[Shard]:
    """An empty shard of codes on each GPU that ONNX Runtime finds.

    Raises:
        IndexUnavailable: it finds none.
    """
    from uniqueness.int8_shard import Int8Shard  # ONNX Runtime loads for a while
    from uniqueness.onnx_scan import CUDA, CodeScan

    shards: list[Shard] = []
    while True:
        try:
            shards.append(Int8Shard(dimension, CodeScan(CUDA, len(shards))))
        except IndexUnavailable as none_left:
            if shards:
                return shards
            raise IndexUnavailable(
                "neither FAISS nor ONNX Runtime finds a GPU: install the extra `gpu` in place of "
                "faiss-cpu and onnxruntime on a machine that has one, or set PERSONHOOD_INDEX to "
                "compact"
            ) from none_left
