"""How fast groups are hashed, built, opened and snapshot, in CPU seconds of this process.

    python benchmarks/group.py [--members 1000000]

The named alternative is the plain-Python Poseidon of `identity_proofs.poseidon`, in the same run.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from identity_proofs.group_file import GroupFile
from identity_proofs.group_file_writer import GroupFileWriter
from identity_proofs.lean_imt import NODE_BYTES, decode_nodes
from identity_proofs.poseidon import poseidon_pairs, poseidon_pairs_reference
from identity_proofs.snapshot import DEFAULT_CHUNK_BITS, SnapshotReader, write_snapshot

KERNEL_PAIRS = 100_000
REFERENCE_PAIRS = 2_000
MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--members", type=int, default=MILLION)
    members = parser.parse_args().members
    print(f"{platform.machine()}, Python {platform.python_version()}, one process, CPU time")
    compare_hashes()
    with tempfile.TemporaryDirectory() as directory:
        measure_group(Path(directory), members)


def compare_hashes() -> None:
    poseidon_pairs(bytes(2 * NODE_BYTES))  # compiles the kernel
    kernel = hashes_per_second(poseidon_pairs, KERNEL_PAIRS)
    reference = hashes_per_second(poseidon_pairs_reference, REFERENCE_PAIRS)
    print(f"{'Poseidon-2 batch, kernel':44}{kernel:12,.0f} a second")
    print(f"{'Poseidon-2 batch, plain Python':44}{reference:12,.0f} a second")


def hashes_per_second(hash_pairs: Callable[[bytes], bytes], count: int) -> float:
    pairs = random_nodes(2 * count)
    start = time.process_time()
    hash_pairs(pairs)
    return count / (time.process_time() - start)


def measure_group(directory: Path, size: int) -> None:
    members = decode_nodes(random_nodes(size + 1))
    index = size * 2 // 3
    with timed(f"build a group of {size:,} on disk"), GroupFileWriter(directory / "group") as group:
        group.insert_many(members[:-1])
    with timed("open it again"):
        reader = GroupFile(directory / "group")
    with timed("a proof from its index"):
        proof = reader.proof(index)
    with timed("the first look-up of a member"):
        reader.index_of(members[index])
    with timed("the next look-up"):
        reader.index_of(members[index])
    with timed("open it as writer"):
        writer = GroupFileWriter(directory / "group")
    with timed("write its snapshot"):
        write_snapshot(reader, directory / "snapshot")
    with timed("a wallet's proof from the snapshot"):
        fetch = (directory / "snapshot").joinpath
        wallet = SnapshotReader(lambda name: fetch(name).read_bytes(), reader.root, size)
        if wallet.proof(members[index], index >> DEFAULT_CHUNK_BITS) != proof:
            raise RuntimeError("the snapshot's path is not the group's")
    with timed("the first insertion (sorts the members)"):
        writer.insert(members[-1])
    with timed("remove a member"):
        writer.remove(index)
    reader.close()
    writer.close()


def random_nodes(count: int) -> bytes:
    words = np.random.default_rng(1).integers(1, 2**64, (count, 4), np.uint64)
    words[:, 3] >>= 4  # below r
    return words.tobytes()


@contextmanager
def timed(what: str) -> Iterator[None]:
    start = time.process_time()
    yield
    print(f"{what:44}{time.process_time() - start:12.4f} s")


if __name__ == "__main__":
    main()
