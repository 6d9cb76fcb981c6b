"""FAISS on GPUs: one flat float16 index a device. Needs the package faiss-gpu and a device.

faiss-gpu imports where there is no GPU and does not fall back by itself, and faiss-cpu lacks the
classes: both are told apart here, once, by the number of devices.
"""

from collections.abc import Sequence

import faiss

from uniqueness.errors import IndexUnavailable
from uniqueness.sharded_index import Shard


def gpu_count() -> int:
    """How many GPUs FAISS can use: 0 with faiss-cpu."""
    return int(faiss.get_num_gpus())


def gpu_shards(dimension: int) -> Sequence[Shard]:
    """An empty shard on each GPU: 2 d bytes a template, and FAISS's working memory (1.5 GB).

    Raises:
        IndexUnavailable: there is no GPU, or faiss-cpu is installed.
    """
    if gpu_count() == 0:
        raise IndexUnavailable(
            "FAISS finds no GPU: install the extra `gpu` in place of faiss-cpu on a machine that "
            "has one, or set PERSONHOOD_INDEX to compact"
        )
    return [_shard(dimension, device) for device in range(gpu_count())]


def _shard(dimension: int, device: int) -> Shard:
    config = faiss.GpuIndexFlatConfig()
    config.device = device
    config.useFloat16 = True
    resources = faiss.StandardGpuResources()
    shard: Shard = faiss.GpuIndexFlat(resources, dimension, faiss.METRIC_INNER_PRODUCT, config)
    return shard
