"""What the decision log costs: an append within a commit, and proofs, as the log grows.

    python benchmarks/decision_log.py --leaves 1000000

CPU seconds of this process, on SQLite in a temporary directory; and the ratio to what hashing every
leaf anew would take.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine

from transparency.entry import Entry, Kind
from transparency.merkle import fold, leaf_hash, verify_consistency, verify_inclusion
from transparency.store import DecisionLog
from uniqueness.database import prepare

BATCH = 10_000
REPEATS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=100_000)
    leaves = parser.parse_args().leaves
    with tempfile.TemporaryDirectory() as folder:
        engine = prepare(create_engine(f"sqlite:///{folder}/log.db"))
        log = DecisionLog(engine)
        entries = [Entry(Kind.UNIQUE, None, 3600 * n, "0" * 16, "m 1", "c 1") for n in range(BATCH)]
        for _ in range(0, leaves, BATCH):
            log.append_alone(entries)
        size = log.size()
        megabytes = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
        print(f"{size:,} leaves, {megabytes:,.0f} MB")
        print(f"append in one transaction   {appending(engine, log) * 1e6:8.0f} µs")
        root = log.root(size)
        hashed = leaf_hash(entries[0].to_bytes())
        for name, ask in {
            "root": lambda _: log.root(size),
            "inclusion proof": lambda n: log.inclusion(n * BATCH % size, size),
            "consistency proof": lambda n: log.consistency(size * n // REPEATS, size),
        }.items():
            print(f"{name:<27} {seconds(ask) * 1e6:8.0f} µs")
        verify_inclusion(hashed, BATCH, size, log.inclusion(BATCH, size), root)
        verify_consistency(7, size, log.consistency(7, size), log.root(7), root)
        whole = seconds(lambda _: fold([leaf_hash(leaf) for leaf in log.leaves(0, BATCH)]), 3)
        ratio = whole * size / BATCH / seconds(lambda n: log.inclusion(n, size))
        print(
            f"hashing every leaf anew would take {ratio:,.0f} times as long as an inclusion proof"
        )
        engine.dispose()


def appending(engine: Engine, log: DecisionLog) -> float:
    entry = Entry(Kind.UNIQUE, None, 3600, "0" * 16, "m 1", "c 1")
    writer = engine.execution_options(writes=True)

    def append(connection: Connection) -> float:
        return seconds(lambda _: log.append(connection, [entry]))

    with writer.begin() as connection:
        return append(connection)


def seconds(work: Callable[[int], object], repeats: int = REPEATS) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    for number in range(repeats):
        work(number)
    return (time.process_time() - started) / repeats


if __name__ == "__main__":
    main()
