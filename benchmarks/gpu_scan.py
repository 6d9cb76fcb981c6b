"""How much of a GPU's memory bandwidth the scans of a gallery reach: FAISS's float16, our int8.

    python benchmarks/gpu_scan.py [--people 10000000] [--batch 256]

Needs a GPU and the package faiss-gpu for the one, onnxruntime-gpu for the other; what finds no GPU
is reported as NOT RUN. A scan's bandwidth is the bytes of the templates as it keeps them over the
seconds of one batch, the card's that of a copy inside its memory, read and written bytes counted.
"""

import argparse
import ctypes
import time
from collections.abc import Callable, Sequence

import numpy as np

from uniqueness.errors import IndexUnavailable
from uniqueness.faiss_gpu import float16_shards
from uniqueness.gpu_shards import int8_shards
from uniqueness.sharded_index import Shard

DIMENSION = 512
NEAREST = 64
CHUNK = 1 << 16
COPIED = 1 << 31  # bytes
REPEATS = 5


def best_seconds(work: Callable[[], object]) -> float:
    work()  # the first call allocates
    best = np.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def copy_bandwidth(device: int = 0) -> float:
    """Bytes a second, read and written, of copies inside a card's memory, by the CUDA driver."""
    cuda = ctypes.CDLL("libcuda.so.1")
    context, handle = ctypes.c_void_p(), ctypes.c_int()

    def call(name: str, *arguments: object) -> None:
        if status := getattr(cuda, name)(*arguments):
            raise RuntimeError(f"{name} failed with CUDA error {status}")

    call("cuInit", 0)
    call("cuDeviceGet", ctypes.byref(handle), device)
    call("cuDevicePrimaryCtxRetain", ctypes.byref(context), handle)
    call("cuCtxSetCurrent", context)
    source, target = ctypes.c_uint64(), ctypes.c_uint64()
    for address in (source, target):
        call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(COPIED))

    def copy() -> None:
        call("cuMemcpyDtoD_v2", target, source, ctypes.c_size_t(COPIED))
        call("cuCtxSynchronize")

    seconds = best_seconds(copy)
    for address in (source, target):
        call("cuMemFree_v2", address)
    return 2 * COPIED / seconds


def measure(shard: Shard, people: int, batch: int) -> None:
    copied = copy_bandwidth()
    random = np.random.default_rng(0)
    while shard.ntotal < people:
        vectors = random.standard_normal((CHUNK, DIMENSION), dtype=np.float32)
        shard.add(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    probes = random.standard_normal((batch, DIMENSION), dtype=np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    seconds = best_seconds(lambda: shard.search(probes, NEAREST))
    scanned = shard.ntotal * shard.stored(0, 1).nbytes / seconds
    print(f"{shard.ntotal} templates, batch of {batch}: {1e3 * seconds:.1f} ms")
    print(f"scan {scanned / 1e9:.0f} GB/s, copy {copied / 1e9:.0f} GB/s: {scanned / copied:.2f}")


def by_onnx_runtime(dimension: int) -> Sequence[Shard]:
    try:
        return int8_shards(dimension)
    except IndexUnavailable:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--people", type=int, default=10_000_000)
    parser.add_argument("--batch", type=int, default=256)
    wanted = parser.parse_args()
    scans = {"FAISS, float16": float16_shards, "ONNX Runtime, int8": by_onnx_runtime}
    for name, shards in scans.items():
        found = shards(DIMENSION)[:1]
        print(f"{name}:" if found else f"{name}: NOT RUN: it finds no GPU on this machine")
        for shard in found:
            measure(shard, wanted.people, wanted.batch)
            shard.reset()


if __name__ == "__main__":
    main()
