"""Indexes over templates that are kept in a dictionary, as the database would."""

from collections.abc import Sequence
from functools import cache

import faiss
import numpy as np

from uniqueness.compact_index import CompactIndex
from uniqueness.faiss_gpu import Float16Shard
from uniqueness.index import IdArray
from uniqueness.int8_shard import Int8Shard
from uniqueness.onnx_scan import CPU, CodeScan
from uniqueness.sharded_index import Shard, ShardedIndex
from uniqueness.template import FloatArray


class Database:
    def __init__(self) -> None:
        self._templates: dict[int, FloatArray] = {}
        self.opened = 0

    def put(self, ids: IdArray, vectors: FloatArray) -> None:
        for number, vector in zip(ids.tolist(), vectors, strict=True):
            self._templates.setdefault(number, vector)

    def vectors_of(self, ids: IdArray) -> FloatArray:
        self.opened += len(ids)
        return np.stack([self._templates[i] for i in ids.tolist()])

    def lose(self, number: int) -> None:
        """Another process removed the template, and the index has not heard of it."""
        self._templates[number] = np.zeros_like(self._templates[number])


class RecordedCompactIndex(CompactIndex):
    def __init__(self, dimension: int, database: Database) -> None:
        super().__init__(dimension, database.vectors_of)
        self._database = database

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        self._database.put(ids, vectors)
        super().add(ids, vectors)


class RecordedShardedIndex(ShardedIndex):
    """Over shards in the processor's memory."""

    def __init__(self, dimension: int, database: Database, devices: Sequence[Shard]) -> None:
        super().__init__(dimension, devices, database.vectors_of)
        self._database = database

    def add(self, ids: IdArray, vectors: FloatArray) -> None:
        self._database.put(ids, vectors)
        super().add(ids, vectors)


class RecordedFloat16Index(RecordedShardedIndex):
    """Shards in FAISS's float16."""

    def __init__(self, dimension: int, database: Database, shards: int = 2) -> None:
        half, product = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        flat = [faiss.IndexScalarQuantizer(dimension, half, product) for _ in range(shards)]
        super().__init__(dimension, database, [Float16Shard(one) for one in flat])


class RecordedInt8Index(RecordedShardedIndex):
    """Shards of codes; blocks are so small that a test has several."""

    def __init__(self, dimension: int, database: Database, shards: int = 2) -> None:
        devices = [Int8Shard(dimension, _processor(), block=48) for _ in range(shards)]
        super().__init__(dimension, database, devices)


@cache
def _processor() -> CodeScan:
    return CodeScan(CPU)
