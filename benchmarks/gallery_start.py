"""How long a gallery of a million people takes to start: from its snapshot, from its database.

    python benchmarks/gallery_start.py DIRECTORY [--people 1000000] [--dimension 512]

DIRECTORY takes about 7 GB for a million; what is made in it is kept, and used by the next run.
Each start is a process of its own: wall and CPU seconds of `Gallery.open`, and the largest
resident size of the process. "cold" is after the kernel was told to drop its copy of the file.
People are random unit vectors, each sealed with the template key as the service does it; a hundred
of them are then looked for. Wall seconds say something on an idle machine only.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, create_engine, insert, update

from uniqueness.database import prepare
from uniqueness.decision import Decision, Thresholds
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.records import Records
from uniqueness.schema import HEAD, HeadRow, TemplateRow
from uniqueness.sealing import Keyring
from uniqueness.snapshot import Snapshot
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray, Probe, Template

MODEL = "synthetic-1"
KEYRING = Keyring(b"k" * 32)
BARS = {"snapshot": 10.0, "database": 90.0}  # seconds for a million people
CHUNK = 10_000
LOOKED_FOR = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--start", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        start(options.directory, options.people, options.dimension)
        return
    options.directory.mkdir(parents=True, exist_ok=True)
    if not database_file(options.directory).exists():
        build(options.directory, options.people, options.dimension)
    compare(options.directory, options.people, options.dimension)


def compare(directory: Path, people: int, dimension: int) -> None:
    snapshot_file(directory).unlink(missing_ok=True)
    size, load = database_file(directory).stat().st_size / 1e9, os.getloadavg()[0]
    print(f"{people} people of {dimension} float32, SQLite database of {size:.2f} GB")
    print(f"{os.cpu_count()} cores, load average {load:.1f} before the first start\n")
    print(f"{'start from':<18}{'wall s':>8}{'CPU s':>8}{'bar s':>8}{'GB resident':>13}")
    results = {}
    for source, cold in (("database", True), ("snapshot", True), ("snapshot", False)):
        path = database_file(directory) if source == "database" else snapshot_file(directory)
        if cold:
            forget(path)
        result = run(directory, people, dimension)
        label = f"{source}, {'cold' if cold else 'warm'}"
        wall, cpu, resident = result["wall"], result["cpu"], result["resident"]
        print(f"{label:<18}{wall:>8.1f}{cpu:>8.1f}{BARS[source]:>8.0f}{resident:>13.1f}")
        results[source, cold] = result
    first, second = results["database", True], results["snapshot", True]
    size = snapshot_file(directory).stat().st_size / 1e9
    print(f"\nsnapshot of {size:.2f} GB, written in {first['written']:.1f} s")
    print(f"database / snapshot: {first['wall'] / second['wall']:.1f} (wall), ", end="")
    print(f"{first['cpu'] / second['cpu']:.1f} (CPU)")


def build(directory: Path, people: int, dimension: int) -> None:
    engine = open_engine(directory)
    fill(engine, KEYRING, MODEL, people, dimension)
    engine.dispose()


def fill(engine: Engine, keyring: Keyring, model: str, people: int, dimension: int) -> None:
    """Put people into an empty gallery's database, as enrolments leave them there."""
    GalleryStore(engine, keyring)  # makes the tables
    records = Records(keyring)
    with engine.begin() as connection:
        for first, vectors in chunks(people, dimension):
            rows = [
                records.seal_template(number, number, model, vector)
                for number, vector in enumerate(vectors, first)
            ]
            connection.execute(insert(TemplateRow), rows)
        head = {"last_sequence": people, "last_person": people, "people": people}
        connection.execute(update(HeadRow).where(HeadRow.id == HEAD).values(head))


def run(directory: Path, people: int, dimension: int) -> dict[str, float]:
    arguments = [str(directory), "--people", str(people), "--dimension", str(dimension), "--start"]
    process = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE
    )
    result: dict[str, float] = json.loads(process.stdout)
    return result


def start(directory: Path, people: int, dimension: int) -> None:
    """Open the gallery, look for some people, close it; print what that took as JSON."""
    engine = open_engine(directory)
    store = GalleryStore(engine, KEYRING)
    snapshot = Snapshot(snapshot_file(directory), KEYRING, store)
    wall, cpu = time.monotonic(), time.process_time()
    gallery = Gallery.open(
        store, {MODEL: FaissFlatIndex(dimension)}, Thresholds(0.5, 0.6), snapshot=snapshot
    )
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    if len(gallery) != people:
        raise SystemExit(f"{len(gallery)} people instead of {people}")
    first, vectors = next(chunks(people, dimension))
    for number, vector in enumerate(vectors[:LOOKED_FOR], first):
        found = gallery.identify(Probe((Template(vector, MODEL),)))
        if (found.decision, found.person) != (Decision.DUPLICATE, number):
            raise SystemExit(f"person {number} was not found")
    closing = time.monotonic()
    gallery.close()
    written = time.monotonic() - closing
    engine.dispose()
    json.dump({"wall": wall, "cpu": cpu, "resident": resident, "written": written}, sys.stdout)


def chunks(people: int, dimension: int) -> Iterator[tuple[int, FloatArray]]:
    """Vectors by the number of the first of each chunk; the same at every call."""
    random = np.random.default_rng(4)
    for first in range(1, people + 1, CHUNK):
        size = min(CHUNK, people + 1 - first)
        vectors = random.standard_normal((size, dimension), np.float32)
        yield first, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def forget(path: Path) -> None:
    """Have the kernel drop its copy of a file, as after a restart of the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def open_engine(directory: Path) -> Engine:
    return prepare(create_engine(f"sqlite:///{database_file(directory)}"))


def database_file(directory: Path) -> Path:
    return directory / "personhood.db"


def snapshot_file(directory: Path) -> Path:
    return directory / "gallery.snapshot"


if __name__ == "__main__":
    main()
