"""What matching by three parties costs: CPU, bytes, and beside an index that sees the templates.

    python -m benchmarks.private_matching [--people 100000] [--probes 32] [--dimension 512]
                                          [--block 16384] [--json FILE]

Three parties run on this machine, each a process with its engine, its worker and its TLS links.
Templates are made up, which changes nothing: the work does not depend on what they hold. What is
timed is the pass over the gallery that every enrolment takes (`reached`, by the review threshold),
the best of three, in CPU seconds of the party with all its processes, so that a busy machine does
not decide. Bytes are those that a party's worker sends, as its tunnel counts them.

The plain index is FAISS's exact one, on one thread, over the same templates in the same run.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402 - the libraries read the variables when they are loaded
import json  # noqa: E402
import multiprocessing  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from multiprocessing.connection import Connection  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from tests.engines import engine_python, make_links  # noqa: E402
from uniqueness.faiss_index import FaissFlatIndex  # noqa: E402
from uniqueness.private.engine import BLOCK, Engine, Links  # noqa: E402
from uniqueness.private.quantised import SCALE, least_product  # noqa: E402
from uniqueness.private.shares import PARTIES  # noqa: E402

REVIEW = 0.35  # no pair of random templates reaches it: the common case
RUNS = 3
CHUNK = 2048
PATIENCE = 10.0  # seconds for one enrolment
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Pass:
    """One party's cost of one pass over the gallery."""

    cpu_seconds: float
    wall_seconds: float
    sent_bytes: int


def templates(seed: int, count: int, dimension: int) -> npt.NDArray[np.int64]:
    """(n, d) whole numbers, as long as quantised templates but for rounding."""
    drawn = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.rint(drawn * SCALE / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.int64)


def shares(rank: int, seed: int, values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """(n, 2, d) a party's shares; a fast and repeatable stand-in for `shares.split`."""
    noise = np.random.default_rng(seed + 1)
    first, second = noise.integers(0, 2**64, (2, *values.shape), np.uint64)
    parts = (first, second, values.view(np.uint64) - first - second)
    return np.stack([parts[rank], parts[(rank + 1) % PARTIES]], axis=1)


def cpu_seconds(process: int) -> float:
    """Of another process so far, of all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def party(rank: int, links: Links, arguments: argparse.Namespace, results: Connection) -> None:
    """Be one of the three: for each number of probes, the costs of each run."""
    with Engine(rank, links, engine_python(), timeout=300, block=arguments.block) as engine:
        for start in range(0, arguments.people, CHUNK):
            count = min(CHUNK, arguments.people - start)
            values = templates(start, count, arguments.dimension)
            engine.add(range(start, start + count), shares(rank, start, values))
        for probes in sorted({1, arguments.probes}):
            values = templates(2**31 + probes, probes, arguments.dimension)
            engine.probe(shares(rank, 2**31, values))
            results.send([measured(engine) for _ in range(RUNS + 1)][1:])  # the first compiles
        results.recv()  # whoever leaves ends the session of those who are not done yet


def measured(engine: Engine) -> Pass:
    """Take one pass."""
    started, sent = time.perf_counter(), engine.sent_bytes
    cpu = cpu_seconds(engine.process_id) + time.process_time()
    if engine.reached(least_product(REVIEW)).any():
        raise SystemExit("random templates were found alike: this is wrong")
    cpu = cpu_seconds(engine.process_id) + time.process_time() - cpu
    return Pass(cpu, time.perf_counter() - started, engine.sent_bytes - sent)


def private(arguments: argparse.Namespace) -> dict[int, Pass]:
    """The best run by number of probes, each figure of its worst party."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as directory:
        links = make_links(Path(directory))
        pipes, processes = [], []
        for rank in range(PARTIES):
            mine, theirs = context.Pipe()
            process = context.Process(target=party, args=(rank, links[rank], arguments, theirs))
            process.start()
            theirs.close()
            pipes.append(mine)
            processes.append(process)
        found = {}
        for probes in sorted({1, arguments.probes}):
            runs = zip(*(pipe.recv() for pipe in pipes), strict=True)
            found[probes] = min((worst(run) for run in runs), key=lambda run: run.cpu_seconds)
        for pipe in pipes:
            pipe.send("done")
        for process in processes:
            process.join()
    return found


def worst(run: tuple[Pass, ...]) -> Pass:
    """The three parties' highest figures."""
    return Pass(*(max(figures) for figures in zip(*(asdict(p).values() for p in run), strict=True)))


def plain(arguments: argparse.Namespace) -> float:
    """CPU seconds that the exact index takes for the same comparisons."""
    index = FaissFlatIndex(arguments.dimension)
    for start in range(0, arguments.people, CHUNK):
        count = min(CHUNK, arguments.people - start)
        values = templates(start, count, arguments.dimension) / SCALE
        index.add(np.arange(start, start + count), values.astype(np.float32))
    probes = templates(2**31, arguments.probes, arguments.dimension) / SCALE
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        index.search(probes.astype(np.float32), 1)
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--probes", type=int, default=32)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--block", type=int, default=BLOCK)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found, index_seconds = private(arguments), plain(arguments)
    many, one = found[arguments.probes], found[1]
    comparisons = arguments.people * arguments.probes
    rate = comparisons / many.cpu_seconds
    apart = arguments.people * PATIENCE / one.cpu_seconds
    cores = os.cpu_count() or 1
    together = apart * min(1, cores / PARTIES)
    report = {
        "comparisons": f"{arguments.probes} x {arguments.people:,}, {arguments.dimension} values",
        "comparisons a second a core of a party": round(rate),
        "bytes sent a comparison a party": round(many.sent_bytes / comparisons, 2),
        "CPU seconds of a party": round(many.cpu_seconds, 2),
        "CPU seconds of the plain exact index": round(index_seconds, 3),
        "a party beside the plain index": round(many.cpu_seconds / index_seconds, 1),
        "CPU seconds of a party for one probe": round(one.cpu_seconds, 2),
        "people where one probe takes 10 s, a core a party": round(apart, -4),
        f"the same, three parties on {cores} cores": round(together, -4),
    }
    print("| what | measured |\n|---|---|")
    for what, value in report.items():
        print(f"| {what} | {value:,} |" if not isinstance(value, str) else f"| {what} | {value} |")
    if arguments.json:
        passes = {str(probes): asdict(cost) for probes, cost in found.items()}
        arguments.json.write_text(json.dumps({"report": report, "passes": passes}, indent=1))


if __name__ == "__main__":
    main()
