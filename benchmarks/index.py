"""Whom an index loses, how long it looks and what it takes: exact, compact, graph, inverted file.

    python benchmarks/index.py [--embeddings FILE] [--people 1000000] [--mates 10000]
    python benchmarks/index.py --codes [--embeddings FILE] [--people 200000] [--mates 1000]
    python benchmarks/index.py --graphs [--embeddings FILE] [--people 100000] [--mates 2000]

Everything runs on one core and is timed in CPU seconds, so that a busy machine decides little;
indexes that are compared take turns, and each time is the median of some probes or batches. The
ratios are of one run.

The people are made up. With `--embeddings` (an .npz of `files`, named PERSON/PHOTOGRAPH, and
`vectors`, the templates of a labelled set) a stranger is a draw from the normal distribution with
the mean and covariance of that set's templates, one a person, put on the unit sphere; a mate of a
template x is c x + sqrt(1 - c^2) y, with y another such draw made orthogonal to x and c one of the
set's own genuine scores. So impostor and genuine scores are those of real photographs, which is
checked: both are printed side by side. Without it all directions are as likely, and genuine scores
are normal with mean 0.65 and deviation 0.12.

A mate is lost if its exact score reaches the floor and the index does not give it. Mates that score
exactly the floor are counted apart: there a guard is tested hardest.

`--codes` asks the scan of 8-bit codes that is meant for GPUs, on the processor: whom it loses there
it loses on a GPU, for the arithmetic is the same. Its time says nothing.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import argparse  # noqa: E402 - the libraries read the variables when they are loaded
import re  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Mapping  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Protocol  # noqa: E402

import faiss  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from uniqueness.compact_index import CompactIndex  # noqa: E402
from uniqueness.faiss_index import FaissFlatIndex  # noqa: E402
from uniqueness.index import GalleryIndex, Hits, IdArray  # noqa: E402
from uniqueness.int8_shard import Int8Shard  # noqa: E402
from uniqueness.onnx_scan import CPU, CodeScan  # noqa: E402
from uniqueness.sharded_index import ShardedIndex  # noqa: E402

FloatArray = npt.NDArray[np.float32]
CHUNK = 16_384
BATCHES = {1: 64, 32: 7, 256: 5}  # how often probes in batches of a size are timed
FAISS_BLAS_THRESHOLD = 128_000  # its own; `uniqueness.faiss_index` sets a lower one
TAIL = (0.999, 0.9999, 0.99999)


def unit(vectors: npt.NDArray[np.floating]) -> FloatArray:
    """Put rows on the unit sphere."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


@dataclass(frozen=True)
class Photographs:
    """Templates of real people: the first of each person, and every genuine pair's score."""

    firsts: FloatArray
    seconds: FloatArray  # of the person in the same row of `firsts`; zeros where there is none
    genuine: FloatArray
    impostors: FloatArray

    @classmethod
    def read(cls, path: Path, label_errors: Path) -> "Photographs":
        """Read templates; people that the list names as twice labelled are left out."""
        stored = np.load(path)
        wrong = set(label_errors.read_text().split())
        kept = np.array(
            [
                vector.any() and Path(str(file)).parent.name not in wrong
                for file, vector in zip(stored["files"], stored["vectors"], strict=True)
            ]
        )
        labels = np.array([Path(str(file)).parent.name for file in stored["files"][kept]])
        vectors = unit(stored["vectors"][kept])
        _, first, person = np.unique(labels, return_index=True, return_inverse=True)
        seconds = np.zeros_like(vectors[first])
        for row in range(len(labels) - 1, -1, -1):
            if row != first[person[row]]:
                seconds[person[row]] = vectors[row]
        scores = vectors @ vectors.T
        pairs = np.triu(labels[:, None] == labels[None, :], 1)
        one_each = vectors[first] @ vectors[first].T
        return cls(vectors[first], seconds, scores[pairs], one_each[np.triu_indices(len(first), 1)])


class Population:
    """Made-up people: see above."""

    def __init__(self, dimension: int, photographs: Photographs | None) -> None:
        self.dimension = dimension
        self._mean = np.zeros(dimension, np.float32)
        self._root = np.eye(dimension, dtype=np.float32)
        self._genuine: FloatArray | None = None
        if photographs:
            self.dimension = photographs.firsts.shape[1]
            self._mean = photographs.firsts.mean(axis=0)
            values, axes = np.linalg.eigh(np.cov(photographs.firsts.T))
            self._root = (np.sqrt(values.clip(0))[:, None] * axes.T).astype(np.float32)
            self._genuine = photographs.genuine

    def strangers(self, count: int, random: np.random.Generator) -> FloatArray:
        """(count, d) people."""
        normal = random.standard_normal((count, len(self._root)), dtype=np.float32)
        return unit(self._mean + normal @ self._root)

    def genuine_scores(self, count: int, random: np.random.Generator) -> FloatArray:
        """(count,) cosines between two photographs of one person."""
        if self._genuine is None:
            return random.normal(0.65, 0.12, count).clip(-0.2, 0.99).astype(np.float32)
        return random.choice(self._genuine, count)

    def mates(
        self, templates: FloatArray, cosines: FloatArray | float, random: np.random.Generator
    ) -> FloatArray:
        """(n, d) probes at these cosines from (n, d) templates."""
        others = self.strangers(len(templates), random)
        others -= np.sum(others * templates, axis=1, keepdims=True) * templates
        cosine = np.broadcast_to(np.asarray(cosines, np.float64), len(templates))[:, None]
        return unit(cosine * templates + np.sqrt(1 - cosine**2) * unit(others))


@dataclass(frozen=True)
class Gallery:
    """The templates of N people in a file, and probes of some of them."""

    vectors: FloatArray
    mates: IdArray
    probes: FloatArray
    probes_at_floor: FloatArray


def make_gallery(
    population: Population, people: int, mates: int, floor: float, path: Path
) -> Gallery:
    random = np.random.default_rng(0)
    shape = people, population.dimension
    vectors = np.memmap(path, np.float32, "w+", shape=shape)
    for chunk in chunks(people):
        vectors[chunk] = population.strangers(chunk.stop - chunk.start, random)
    rows = np.sort(random.choice(people, min(mates, people), replace=False))
    scores = population.genuine_scores(len(rows), random)
    probes = population.mates(vectors[rows], scores, random)
    at_floor = population.mates(vectors[rows], floor + 1e-5, random)
    return Gallery(vectors, rows, probes, at_floor)


def chunks(count: int, size: int = CHUNK) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def resident_bytes() -> int:
    """Memory of this process that is not a file's."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def lost(
    index: GalleryIndex, gallery: Gallery, probes: FloatArray, floor: float
) -> tuple[int, int]:
    """How many of the mates that reach the floor the index does not give, and how many reach it."""
    exact = np.einsum("ij,ij->i", probes, gallery.vectors[gallery.mates])
    found = np.zeros(len(probes), np.bool_)
    for chunk in chunks(len(probes), 256):
        hits = index.search_range(probes[chunk], floor)
        rows = hits.probes + chunk.start
        found[rows[hits.ids == gallery.mates[rows]]] = True
    reaching = exact >= floor
    return int((reaching & ~found).sum()), int(reaching.sum())


def fill(index: GalleryIndex, vectors: FloatArray) -> None:
    for chunk in chunks(len(vectors)):
        index.add(np.arange(chunk.start, chunk.stop, dtype=np.int64), np.array(vectors[chunk]))


class CountingReader:
    """Opens templates as the database does, and counts them."""

    def __init__(self, vectors: FloatArray) -> None:
        self._vectors = vectors
        self.opened = 0

    def __call__(self, ids: IdArray) -> FloatArray:
        self.opened += len(ids)
        return np.asarray(self._vectors[ids])


def measure_tiers(population: Population, people: int, mates: int, floor: float) -> None:
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        gallery = make_gallery(population, people, mates, floor, Path(file.name))
        vectors_of = CountingReader(gallery.vectors)
        warm = CompactIndex(population.dimension, vectors_of)
        fill(warm, gallery.vectors[:CHUNK])
        warm.search_range(gallery.probes[:1], floor)
        del warm
        before = resident_bytes()
        compact = CompactIndex(population.dimension, vectors_of)
        start = time.process_time()
        fill(compact, gallery.vectors)
        built = time.process_time() - start
        took = (resident_bytes() - before) / people
        print(f"compact: {built:.0f} CPU s to fill, {took:.0f} bytes a person (resident)")
        flat = FaissFlatIndex(population.dimension)
        fill(flat, gallery.vectors)
        own = OwnThreshold(flat)
        indexes = {"compact": compact, "flat": flat, "flat, FAISS's own BLAS threshold": own}
        print_times(probe_times(indexes, gallery.probes, floor))
        vectors_of.opened = 0
        report_lost("compact", compact, gallery, floor)
        print(f"compact: {vectors_of.opened / 2 / len(gallery.mates):.2f} templates opened a probe")
        report_lost("flat", flat, gallery, floor)


def measure_codes(population: Population, people: int, mates: int, floor: float) -> None:
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        gallery = make_gallery(population, people, mates, floor, Path(file.name))
        vectors_of = CountingReader(gallery.vectors)
        shard = Int8Shard(population.dimension, CodeScan(CPU))
        index = ShardedIndex(population.dimension, [shard], vectors_of)
        fill(index, gallery.vectors)
        report_lost("codes", index, gallery, floor)
        print(f"codes: guard {shard.guard:.4f}, {vectors_of.opened / 2 / mates:.2f} opened a probe")


def report_lost(name: str, index: GalleryIndex, gallery: Gallery, floor: float) -> None:
    for what, probes in (("mates", gallery.probes), ("at floor", gallery.probes_at_floor)):
        missed, reaching = lost(index, gallery, probes, floor)
        print(f"{name}: {what}: lost {missed} of {reaching} that reach {floor}", flush=True)


class Searches(Protocol):
    """What is timed."""

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        """See `uniqueness.index.GalleryIndex`."""


class OwnThreshold:
    """The flat index as FAISS comes."""

    def __init__(self, flat: FaissFlatIndex) -> None:
        self._flat = flat

    def search_range(self, probes: FloatArray, floor: float) -> Hits:
        tuned = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = FAISS_BLAS_THRESHOLD
        try:
            return self._flat.search_range(probes, floor)
        finally:
            faiss.cvar.distance_compute_blas_threshold = tuned


def probe_times(
    indexes: Mapping[str, Searches], probes: FloatArray, floor: float
) -> dict[str, dict[int, float]]:
    """CPU milliseconds a probe by index and size of the batch."""
    times: dict[str, dict[int, float]] = {name: {} for name in indexes}
    for size, repeats in BATCHES.items():
        spent: dict[str, list[float]] = {name: [] for name in indexes}
        for start in range(repeats):
            for name, index in indexes.items():
                begun = time.process_time()
                index.search_range(probes[start : start + size], floor)
                spent[name].append(time.process_time() - begun)
        for name, seconds in spent.items():
            times[name][size] = 1e3 * float(np.median(seconds)) / size
    return times


def print_times(times: dict[str, dict[int, float]]) -> None:
    print(f"{'CPU ms a probe':36}" + "".join(f"{f'batch {n}':>12}" for n in BATCHES))
    for name, of_index in times.items():
        print(f"{name:36}" + "".join(f"{ms:12.2f}" for ms in of_index.values()))
    for name, of_index in list(times.items())[1:]:
        ratios = [of_index[n] / times["compact"][n] for n in BATCHES]
        print(f"{name + ' / compact':36}" + "".join(f"{ratio:12.1f}" for ratio in ratios))


def measure_graphs(
    population: Population, photographs: Photographs | None, people: int, mates: int, floor: float
) -> None:
    """What graph and inverted-file indexes lose: mates that reach the floor, not among 10."""
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        gallery = make_gallery(population, people, mates, floor, Path(file.name))
        vectors = np.array(gallery.vectors)
        sets = {"made up": (gallery.probes, gallery.mates)}
        if photographs:
            paired = photographs.seconds.any(axis=1)
            places = np.random.default_rng(1).permutation(people)[: len(paired)]
            vectors[places] = photographs.firsts
            untouched = ~np.isin(gallery.mates, places)
            sets = {
                "made up": (gallery.probes[untouched], gallery.mates[untouched]),
                "real": (photographs.seconds[paired], places[paired]),
            }
        graph = faiss.IndexHNSWFlat(population.dimension, 32, faiss.METRIC_INNER_PRODUCT)
        lists = max(16, min(2048, people // 48))
        quantizer = faiss.IndexFlatIP(population.dimension)
        inverted = faiss.IndexIVFFlat(
            quantizer, population.dimension, lists, faiss.METRIC_INNER_PRODUCT
        )
        inverted.train(vectors)
        for index in (graph, inverted):
            index.add(vectors)
        for what, (probes, rows) in sets.items():
            reaching = np.einsum("ij,ij->i", probes, vectors[rows]) >= floor
            for effort in (64, 512, 2048):
                graph.hnsw.efSearch = effort
                report_missing(f"HNSW32 ef {effort}", what, graph, probes[reaching], rows[reaching])
            for effort in (64, 512):
                inverted.nprobe = min(effort, lists)
                name = f"IVF{lists} nprobe {inverted.nprobe}"
                report_missing(name, what, inverted, probes[reaching], rows[reaching])


def report_missing(
    name: str, what: str, index: "faiss.Index", probes: FloatArray, rows: IdArray
) -> None:
    start = time.process_time()
    _, found = index.search(probes, 10)
    each = 1e3 * (time.process_time() - start) / len(probes)
    missing = int((~(found == rows[:, None]).any(axis=1)).sum())
    share = 100 * missing / len(probes)
    print(f"{name}: {what}: lost {missing} of {len(probes)} ({share:.1f} %), {each:.2f} CPU ms")


def describe(population: Population, photographs: Photographs) -> None:
    """Print the score distributions of the made-up people beside the real ones."""
    random = np.random.default_rng(9)
    people = population.strangers(len(photographs.firsts), random)
    made_up = (people @ people.T)[np.triu_indices(len(people), 1)]
    for name, scores in (("real", photographs.impostors), ("made up", made_up)):
        tail = ", ".join(f"{q:.5g}: {np.quantile(scores, q):.3f}" for q in TAIL)
        print(f"impostors, {name}: mean {scores.mean():.4f} sd {scores.std():.4f}; {tail}")
    genuine = photographs.genuine
    quantiles = ", ".join(f"{q:g}: {np.quantile(genuine, q):.3f}" for q in (0.01, 0.05, 0.5))
    print(
        f"genuine, real and made up: {len(genuine)} pairs, mean {genuine.mean():.3f}; {quantiles}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--people", type=int)
    parser.add_argument("--mates", type=int)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--floor", type=float, default=0.36)
    parser.add_argument("--embeddings", type=Path)
    parser.add_argument(
        "--label-errors", type=Path, default=Path(__file__).parent / "lfw_label_errors.txt"
    )
    parser.add_argument("--graphs", action="store_true")
    parser.add_argument("--codes", action="store_true")
    wanted = parser.parse_args()
    photographs = None
    if wanted.embeddings:
        photographs = Photographs.read(wanted.embeddings, wanted.label_errors)
    population = Population(wanted.dimension, photographs)
    if photographs:
        describe(population, photographs)
    if wanted.graphs:
        people, mates = wanted.people or 100_000, wanted.mates or 2_000
        measure_graphs(population, photographs, people, mates, wanted.floor)
    elif wanted.codes:
        people, mates = wanted.people or 200_000, wanted.mates or 1_000
        measure_codes(population, people, mates, wanted.floor)
    else:
        people, mates = wanted.people or 1_000_000, wanted.mates or 10_000
        measure_tiers(population, people, mates, wanted.floor)


if __name__ == "__main__":
    main()
