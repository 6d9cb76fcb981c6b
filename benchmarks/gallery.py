"""What a decision costs beyond its scan, and what batches and a second sequencer bring.

    python -m benchmarks.gallery latency     [--people 1000000]
    python -m benchmarks.gallery batches     [--people 1000000]
    python -m benchmarks.gallery sequencers  [--pairs 10000] [--database-url URL]

`latency`: `identify_and_enroll` one at a time, less the time within the index's search; in turn as
the enrolment service asks, whose own commit follows and takes the decision to the disk, and with a
flush of its own. Before each, as many bytes are written to a file and flushed: the disk alone.
`batches`: enrolments a second one at a time, then from as many threads as a batch holds.
`sequencers`: two processes with 16 threads each on one database are sent everybody twice, 256
people at a time in an order of their own, so that neither gets ahead of the other; on SQLite and
PostgreSQL, or the database of `--database-url`.

People are random directions: 512 values, so that two never score near a threshold. The first two
put them into the index alone; the database is empty but for its head, and what is decided is
written to it as always. The thresholds are those of a face model: review 0.4, duplicate 0.5.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from sqlalchemy import create_engine, update

from tests.postgres import empty_schema, running_postgres
from uniqueness.candidates import Identification
from uniqueness.decision import Decision, Thresholds
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import MAX_BATCH, Gallery
from uniqueness.index import Candidates
from uniqueness.schema import HeadRow
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray, Probe, Template

MODEL = "benchmark:1"
DIMENSION = 512
THRESHOLDS = Thresholds(review=0.4, duplicate=0.5)
LATENCY_BAR = 3.0  # ms beyond the scan, 95th percentile
BATCH_BAR = 4.0  # times the enrolments a second of one at a time
CHUNK = 20_000
COMMITTED = 12 * 4096  # bytes that a decision adds to SQLite's write-ahead log
GROWTH = 300  # commits until SQLite's write-ahead log is written over and grows no more
SEQUENCERS, THREADS = 2, 16
BLOCK = 256  # people who are sent to both before either goes on


def directions(count: int, seed: int) -> FloatArray:
    """(count, 512) random unit vectors."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def probe_of(vector: FloatArray) -> Probe:
    return Probe((Template(vector, MODEL),))


class TimedIndex(FaissFlatIndex):
    """The default index, with a stopwatch around its search."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.spent = Span(0.0, 0.0)

    def search(self, probes: FloatArray, k: int, *, floor: float = -1.0) -> Candidates:
        start = now()
        candidates = super().search(probes, k, floor=floor)
        self.spent = since(start)
        return candidates


class Span(NamedTuple):
    """Milliseconds; NumPy would take a good part of what is to be measured."""

    clock: float
    cpu: float  # in all threads of this process


def now() -> Span:
    return Span(time.perf_counter() * 1e3, time.process_time() * 1e3)


def since(start: Span) -> Span:
    end = now()
    return Span(end.clock - start.clock, end.cpu - start.cpu)


@contextmanager
def filled_gallery(people: int) -> Iterator[tuple[Gallery, TimedIndex]]:
    """A gallery on a fresh SQLite file, whose index holds some people."""
    with tempfile.TemporaryDirectory() as directory:
        engine = create_engine(f"sqlite:///{directory}/gallery.db")
        store, index = GalleryStore(engine, Keyring(b"k" * 32)), TimedIndex(DIMENSION)
        with engine.begin() as connection:
            head = {"last_sequence": people, "last_person": people, "people": people}
            connection.execute(update(HeadRow).values(head))
        with Gallery.open(store, {MODEL: index}, THRESHOLDS) as gallery:
            # A running service's: the write-ahead log grows to its full size once.
            for number, vector in enumerate(directions(GROWTH, seed=1)):
                gallery.identify_and_enroll(probe_of(vector), f"growth {number}")
            for start in range(0, people, CHUNK):
                count = min(CHUNK, people - start)
                ids = np.arange(start + 1, start + count + 1, dtype=np.int64)
                index.add(ids, directions(count, seed=start))
            yield gallery, index
        engine.dispose()


def measure_latency(people: int, repeats: int = 200, warm: int = 10) -> dict[str, float]:
    """Milliseconds of an enrolment, within the scan and beyond it, in both ways to ask."""
    probes = [probe_of(vector) for vector in directions(2 * (repeats + warm), seed=3)]
    spans: dict[bool, list[Span]] = {True: [], False: []}
    scans: list[float] = []
    bare: list[float] = []
    with filled_gallery(people) as (gallery, index), tempfile.TemporaryFile() as file:
        write_over(file.fileno())
        for number, probe in enumerate(probes):
            start = now()
            write_over(file.fileno())
            bare.append(since(start).clock)
            hasty = number % 2 == 0
            start = now()
            gallery.identify_and_enroll(probe, str(number), hasty=hasty)
            span = since(start)
            spans[hasty].append(Span(*np.subtract(span, index.spent)))
            scans.append(index.spent.clock)
    served, alone = (np.array(spans[hasty][warm:]) for hasty in (True, False))
    return {
        "the scan, median ms": float(np.median(scans)),
        "beyond the scan, as the enrolment service asks, median ms": float(np.median(served[:, 0])),
        "beyond the scan, as the enrolment service asks, p95 ms": percentile(served[:, 0]),
        "of it CPU, median ms": float(np.median(served[:, 1])),
        "of it CPU, p95 ms": percentile(served[:, 1]),
        "beyond the scan, with a flush of its own, median ms": float(np.median(alone[:, 0])),
        "beyond the scan, with a flush of its own, p95 ms": percentile(alone[:, 0]),
        "as many bytes flushed to a file, p95 ms": percentile(np.array(bare[warm:])),
    }


def percentile(values: FloatArray) -> float:
    """The 95th."""
    return float(np.percentile(values, 95))


def write_over(file: int) -> None:
    """Write as much as a decision commits to the beginning of a file, and wait for the disk."""
    os.pwrite(file, bytes(COMMITTED), 0)
    os.fdatasync(file)


def measure_batches(people: int, alone: int = 24, together: int = 1024) -> dict[str, float]:
    """Enrolments a second at a gallery of a size."""
    vectors = directions(alone + together, seed=7)
    probes = [probe_of(vector) for vector in vectors]
    with filled_gallery(people) as (gallery, _):
        start = time.perf_counter()
        for number in range(alone):
            gallery.identify_and_enroll(probes[number], str(number))
        one_at_a_time = alone / (time.perf_counter() - start)

        def enroll(number: int) -> Decision:
            return gallery.identify_and_enroll(probes[number], str(number)).decision

        with ThreadPoolExecutor(MAX_BATCH) as pool:
            start = time.perf_counter()
            decisions = Counter(pool.map(enroll, range(alone, alone + together)))
            batched = together / (time.perf_counter() - start)
    if decisions != {Decision.UNIQUE: together}:
        raise SystemExit(f"random directions are all new, but: {decisions}")
    return {
        "one at a time, enrolments/s": one_at_a_time,
        f"batches of up to {MAX_BATCH}, enrolments/s": batched,
        "ratio": batched / one_at_a_time,
    }


def measure_sequencers(url: str, pairs: int) -> dict[str, float]:
    """Send everybody twice, to two processes at once, and count who was accepted how often."""
    command = [sys.executable, "-m", "benchmarks.gallery", "child", "--database-url", url]
    children = [
        subprocess.Popen(
            [*command, "--pairs", str(pairs), "--number", str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(SEQUENCERS)
    ]
    for process in children:
        hear(process)
    start = time.perf_counter()
    for block in range(0, pairs, BLOCK):
        for process in children:
            tell(process, f"{block} {min(block + BLOCK, pairs)}")
        for process in children:
            hear(process)
    elapsed = time.perf_counter() - start
    answers = [json.loads(process.communicate("\n")[0]) for process in children]
    accepted = Counter(who for answer in answers for who in answer["accepted"])
    numbers = [set(pair) for pair in zip(*(answer["persons"] for answer in answers), strict=True)]
    return {
        "pairs": pairs,
        "accepted twice": sum(count > 1 for count in accepted.values()),
        "never accepted": pairs - len(accepted),
        "the two told different persons": sum(len(both) > 1 for both in numbers),
        "share accepted by the first sequencer": len(answers[0]["accepted"]) / pairs,
        "decisions/s": SEQUENCERS * pairs / elapsed,
        "enrolments/s": pairs / elapsed,
        "CPU ms a decision": sum(a["cpu"] for a in answers) / (SEQUENCERS * pairs) * 1e3,
        "seconds": elapsed,
    }


def tell(process: "subprocess.Popen[str]", line: str) -> None:
    if process.stdin is None:
        raise SystemExit("a sequencer has no input")
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> None:
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise SystemExit("a sequencer failed")


def child(url: str, pairs: int, number: int) -> None:
    """One sequencer with its clients; the second sees everybody at a cosine of 0.89."""
    vectors = directions(pairs, seed=11)
    vectors = vectors + np.float32(0.5 * number) * directions(pairs, seed=number + 12)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = GalleryStore(create_engine(url), Keyring(b"k" * 32))
    with Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS) as gallery:

        def enroll(who: int) -> Identification:
            return gallery.identify_and_enroll(probe_of(vectors[who]), f"{number}/{who}")

        print("ready", flush=True)
        found: dict[int, Identification] = {}
        cpu, order = time.process_time(), np.random.default_rng(number)
        with ThreadPoolExecutor(THREADS) as pool:
            while block := sys.stdin.readline().split():
                people = order.permutation(np.arange(*map(int, block))).tolist()
                found |= zip(people, pool.map(enroll, people), strict=True)
                print("ready", flush=True)
        cpu = time.process_time() - cpu
    accepted = [who for who, f in found.items() if f.decision is Decision.UNIQUE]
    persons = [found[who].person for who in range(pairs)]
    json.dump({"accepted": accepted, "persons": persons, "cpu": cpu}, sys.stdout)


def show(title: str, figures: dict[str, float]) -> None:
    print(title)
    for name, value in figures.items():
        print(f"  {name:<50}{value:>12,.2f}".rstrip("0").rstrip("."))


def bar(text: str, *, met: bool) -> None:
    print(f"  bar: {text}: {'met' if met else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["latency", "batches", "sequencers", "child"])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--database-url", help="an empty database")
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what == "child":
        child(options.database_url, options.pairs, options.number)
    elif options.what == "latency":
        figures = measure_latency(options.people)
        show(f"one enrolment at a time, {options.people:,} people, SQLite", figures)
        p95 = figures["beyond the scan, as the enrolment service asks, p95 ms"]
        bar(f"{LATENCY_BAR} ms beyond the scan at the 95th percentile", met=p95 <= LATENCY_BAR)
    elif options.what == "batches":
        figures = measure_batches(options.people)
        show(f"enrolments, {options.people:,} people, SQLite", figures)
        bar(f"{BATCH_BAR} times one at a time", met=figures["ratio"] >= BATCH_BAR)
    else:
        for name, url in databases(options.database_url):
            figures = measure_sequencers(url, options.pairs)
            show(f"two sequencers, {SEQUENCERS * THREADS} clients, {name}", figures)
            bar("nobody accepted twice", met=figures["accepted twice"] == 0)


def databases(given: str | None) -> Iterator[tuple[str, str]]:
    """Name and address of each empty database to measure on."""
    if given:
        yield given.partition(":")[0], given
        return
    with tempfile.TemporaryDirectory() as directory:
        yield "SQLite", f"sqlite:///{directory}/gallery.db"
    with running_postgres() as postgres, empty_schema(postgres) as url:
        yield "PostgreSQL", url


if __name__ == "__main__":
    main()
