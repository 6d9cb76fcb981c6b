"""Milvus for tests: the cluster of PERSONHOOD_MILVUS_URI, or Milvus Lite in a directory of ours.

Loaded on first use, since it takes seconds: the tests that use it are marked slow.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from pymilvus import MilvusClient

    from uniqueness.milvus_index import MilvusIndex


@cache
def milvus_client() -> "MilvusClient":
    from pymilvus import MilvusClient

    if uri := os.environ.get("PERSONHOOD_MILVUS_URI"):
        return MilvusClient(uri=uri, token=os.environ.get("PERSONHOOD_MILVUS_TOKEN", ""))
    directory = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return MilvusClient(uri=f"{directory}/milvus.db")


@contextmanager
def milvus_collection(dimension: int) -> Iterator[Callable[..., "MilvusIndex"]]:
    """Open indexes over one new collection, which is dropped at the end."""
    from uniqueness.milvus_index import MilvusIndex

    name = f"templates_{uuid4().hex}"
    yield lambda **options: MilvusIndex(milvus_client(), name, dimension, **options)
    milvus_client().drop_collection(name)
