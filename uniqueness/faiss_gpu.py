"""FAISS on GPUs: one flat float16 index a device. Needs the package faiss-gpu and a device.

faiss-gpu imports where there is no GPU and does not fall back by itself, and faiss-cpu lacks the
classes: both are told apart here, once, by the number of devices.
"""

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from uniqueness.sharded_index import Rows
from uniqueness.template import FloatArray

# Values, stored and asked for, are rounded to 11 bits: 2 x 2^-11 of a unit vector's norm, products
# are added in float32, and as much again is left over.
GUARD = 0.002


def gpu_count() -> int:
    """How many GPUs FAISS can use: 0 with faiss-cpu."""
    return int(faiss.get_num_gpus())


def float16_shards(dimension: int) -> list["Float16Shard"]:
    """An empty shard on each GPU: 2 d bytes a template, and FAISS's working memory (1.5 GB)."""
    return [Float16Shard(_on_device(dimension, device)) for device in range(gpu_count())]


class Float16Shard:
    """A flat float16 index of FAISS as a `Shard` of `ShardedIndex`.

    Args:
        flat: empty, for inner products.
    """

    guard = GUARD
    error = 0.0  # bounded above, and not measured

    def __init__(self, flat: Any) -> None:
        self._flat = flat

    @property
    def ntotal(self) -> int:
        """How many rows it holds."""
        return int(self._flat.ntotal)

    def add(self, vectors: FloatArray) -> None:
        """Add (n, d) unit vectors."""
        self._flat.add(vectors)

    def search(self, probes: FloatArray, k: int) -> tuple[FloatArray, Rows]:
        """Find the k <= 2048 nearest of (p, d) probes: scores, descending, and rows."""
        scores, rows = self._flat.search(probes, k)
        return scores, rows

    def reconstruct_n(self, start: int, count: int) -> FloatArray:
        """(count, d) float32 vectors as they were rounded."""
        return np.asarray(self._flat.reconstruct_n(start, count), np.float32)

    def stored(self, start: int, count: int) -> npt.NDArray[np.float16]:
        """(count, d) float16 vectors."""
        return self.reconstruct_n(start, count).astype(np.float16)

    def load(self, stored: npt.NDArray[np.float16], error: float) -> None:  # noqa: ARG002
        """Add (n, d) vectors, which are rounded to themselves."""
        self.add(stored.astype(np.float32))

    def reset(self) -> None:
        """Forget everything."""
        self._flat.reset()


def _on_device(dimension: int, device: int) -> Any:
    config = faiss.GpuIndexFlatConfig()
    config.device = device
    config.useFloat16 = True
    resources = faiss.StandardGpuResources()
    return faiss.GpuIndexFlat(resources, dimension, faiss.METRIC_INNER_PRODUCT, config)
