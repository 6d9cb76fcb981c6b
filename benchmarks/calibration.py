"""Measure what a calibration promises: on people not fitted on, in a simulation, fused.

    python benchmarks/calibration.py splits DIR --cache SCRATCH [--pack opencv] [--splits 100]
    python benchmarks/calibration.py fusion DIR --cache SCRATCH
    python benchmarks/calibration.py simulation

DIR holds one folder a person. Templates are kept under SCRATCH, so that photographs are embedded
once; they are biometric data: remove them afterwards.

splits: the people are divided at random into two halves. One is calibrated on; the threshold for
a gallery of the other half's size is set there, and the false positive identification rate is
measured on the other half, everyone's first photograph against those of all others. The interval
that it should be in is predicted from the first half alone (`predict`).
fusion: one model against several, at the same false match rate, by the same people drawn again.
simulation: impostor scores whose truth is known, at a gallery of a million.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from score_simulation import NormalZoo

from enrollment.face_models import open_models
from enrollment.labelled import embed_labelled
from enrollment.packs import load_pack
from uniqueness.comparisons import Comparisons, compare, cosine_rows
from uniqueness.fusion import Fusion, Rule
from uniqueness.measurement import fit_map, fused_rows
from uniqueness.score_model import ImpostorModel, fpir_of_one_rate
from uniqueness.score_model_fit import fit_impostors

DEFAULT_MODELS = Path.home() / ".cache/personhood/models"
PACKS = ("opencv", "edgeface", "buffalo_s")
TARGETS = (0.05, 0.02, 0.01)
COUNTED_RATES = (1e-4, 1e-5, 3e-6)
DRAWS_A_REPLICATE = 20

Array = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class People:
    """Usable photographs: their files, templates, people, and pairs of people left out."""

    files: npt.NDArray[np.str_]
    vectors: Vectors
    people: npt.NDArray[np.int64]
    not_compared: list[frozenset[int]]

    def only(self, chosen: npt.NDArray[np.int64]) -> "People":
        """Some of the people, numbered anew."""
        number = np.full(self.people.max() + 1, -1)
        number[chosen] = np.arange(chosen.size)
        kept = number[self.people] >= 0
        pairs = [frozenset(int(number[i]) for i in pair) for pair in self.not_compared]
        return People(
            self.files[kept],
            self.vectors[kept],
            number[self.people[kept]],
            [pair for pair in pairs if -1 not in pair],
        )

    def best_impostor_scores(self) -> Array:
        """Everyone's first photograph against those of all others: the highest score of each."""
        first = np.unique(self.people, return_index=True)[1]
        scores = self.vectors[first] @ self.vectors[first].T
        np.fill_diagonal(scores, -1)
        for i, j in (sorted(pair) for pair in self.not_compared):
            scores[i, j] = scores[j, i] = -1
        return scores.max(axis=1)


def read_people(directory: Path, pack: str, arguments: argparse.Namespace) -> People:
    """Templates of a pack, from the cache or made now."""
    cache = arguments.cache / f"{pack}.npz"
    if not cache.exists():
        labelled = embed_labelled(directory, open_models([load_pack(pack, arguments.models)]))
        arguments.cache.mkdir(parents=True, exist_ok=True)
        np.savez(cache, files=np.array(labelled.files), vectors=labelled.vectors[0])
    stored = np.load(cache)
    files, vectors = stored["files"], stored["vectors"]
    return label(files, vectors, arguments.label_errors)


def label(files: npt.NDArray[np.str_], vectors: Vectors, errors: Path | None) -> People:
    """Number the people, and find the pairs of folders that show one person."""
    names, people = np.unique([file.split("/")[0] for file in files], return_inverse=True)
    number = {str(name): i for i, name in enumerate(names)}
    lines = errors.read_text().splitlines() if errors else []
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    known = [pair for pair in pairs if all(name in number for name in pair)]
    return People(files, vectors, people, [frozenset(number[n] for n in pair) for pair in known])


def predict(
    model: ImpostorModel, threshold: float, people: int, random: np.random.Generator
) -> tuple[float, float]:
    """Where the measured rate should be in 95 of 100: the model's doubt and the sample's.

    Scores are symmetric: a pair above the threshold makes two people collide, and a person near
    many makes many. So for each bootstrap replicate people are drawn with their own rates, pairs
    above the threshold among them at random by these rates, and people in a pair are counted.
    """
    shares = []
    for fit in model.replicates:
        rates = model.false_match_rates(threshold, fit)
        for _ in range(DRAWS_A_REPLICATE):
            drawn = np.cumsum(rates[random.integers(rates.size, size=people)])
            pairs = random.poisson(drawn[-1] * (people - 1) / 2)
            ends = np.searchsorted(drawn, random.random(2 * pairs) * drawn[-1])
            shares.append(np.unique(ends).size / people)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def splits(arguments: argparse.Namespace) -> None:
    """Print how often the measured rate is in the predicted interval."""
    for pack in arguments.pack or PACKS[:1]:
        everyone = read_people(arguments.directory, pack, arguments)
        count = int(everyone.people.max()) + 1
        results = {target: [] for target in TARGETS}
        started = time.process_time()
        for seed in range(arguments.splits):
            order = np.random.default_rng(seed).permutation(count)
            halves = everyone.only(order[: count // 2]), everyone.only(order[count // 2 :])
            for target, result in split(*halves, arguments.replicates, seed):
                results[target].append(result)
        seconds = (time.process_time() - started) / arguments.splits
        print(f"\n{pack}: {count} people, {arguments.splits} splits, {seconds:.1f} CPU s each")
        print("target  measured (mean)  predicted interval (mean)  inside  above  below")
        for target, rows in results.items():
            low, measured, high = np.array(rows).T
            inside = (low <= measured) & (measured <= high)
            print(
                f"{target:>6.1%}  {measured.mean():>14.2%}  "
                f"{low.mean():>11.2%} to {high.mean():.2%}     "
                f"{inside.sum():>5}  {(measured > high).sum():>5}  {(measured < low).sum():>5}",
                flush=True,
            )


def split(
    fitted_on: People, measured_on: People, replicates: int, seed: int
) -> list[tuple[float, tuple[float, float, float]]]:
    """Calibrate on one half, measure on the other: by target (low, measured, high)."""
    compared = compare(
        cosine_rows(fitted_on.vectors), fitted_on.people, not_compared=fitted_on.not_compared
    )
    model = fit_impostors(compared, replicates=replicates, seed=seed).model
    best = measured_on.best_impostor_scores()
    random = np.random.default_rng(seed)
    rows = []
    for target in TARGETS:
        threshold = model.threshold(target, best.size - 1)
        low, high = predict(model, threshold, best.size, random)
        rows.append((target, (low, float((best >= threshold).mean()), high)))
    return rows


def fusion(arguments: argparse.Namespace) -> None:
    """Print the misses of each model and fusion at the same counted false match rates."""
    by_pack = [read_people(arguments.directory, pack, arguments) for pack in PACKS]
    files = sorted(set.intersection(*(set(p.files.tolist()) for p in by_pack)))
    vectors = [p.vectors[np.searchsorted(p.files, files)] for p in by_pack]
    everyone = label(np.array(files), vectors[0], arguments.label_errors)
    people, apart = everyone.people, everyone.not_compared
    alone = [compare(cosine_rows(v), people, not_compared=apart) for v in vectors]
    maps = [fit_map(c) for c in alone]
    print(f"{len(files)} photographs that all packs can use, {people.max() + 1} people")
    for pack, fitted in zip(PACKS, maps, strict=True):
        print(f"  {pack}: llr = {fitted.slope:.1f} cosine {fitted.offset:+.1f}")
    draws = [
        np.bincount(np.random.default_rng(i).integers(people.max() + 1, size=people.max() + 1),
                    minlength=people.max() + 1)
        for i in range(arguments.replicates)
    ]  # fmt: skip
    table = {pack: missed(c, draws) for pack, c in zip(PACKS, alone, strict=True)}
    wanted = [((0, 1), rule) for rule in Rule] + [
        ((1, 2), Rule.SUM), ((1, 2), Rule.ALL), ((1, 2), Rule.ANY), ((0, 2), Rule.SUM),
        ((0, 1, 2), Rule.SUM),
    ]  # fmt: skip
    for members, rule in wanted:
        fused = Fusion(tuple(PACKS[i] for i in members), tuple(maps[i] for i in members), rule)
        rows = fused_rows(fused, [vectors[i] for i in members])
        compared = compare(rows, people, bounds=fused.bounds, not_compared=apart)
        table[f"{'+'.join(fused.models)} {rule}"] = missed(compared, draws)
    print("FNIR at false match rate   " + "".join(f"{rate:>24.0e}" for rate in COUNTED_RATES))
    for name, shares in table.items():
        low, high = np.percentile(shares[1:], [2.5, 97.5], axis=0)
        cells = zip(shares[0], low, high, strict=True)
        print(f"{name:<27}" + "".join(f"{x:>10.2%} ({a:.2%}-{b:.2%})" for x, a, b in cells))
    print("against the best of its members, at the same people drawn: difference and interval")
    for name in list(table)[len(PACKS) :]:
        members = name.split(" ")[0].split("+")
        best = min(members, key=lambda member: table[member][0, 1])
        gain = table[name] - table[best]
        low, high = np.percentile(gain[1:], [2.5, 97.5], axis=0)
        cells = zip(gain[0], low, high, strict=True)
        text = "".join(f"{x:>+10.2%} ({a:+.2%} to {b:+.2%})" for x, a, b in cells)
        print(f"{name:<27} - {best:<10}{text}")


def missed(compared: Comparisons, draws: list[npt.NDArray[np.int64]]) -> Array:
    """(1 + draws, rates) share of genuine scores below the threshold of each counted rate."""
    top = compared.top[:, :60]
    order = np.argsort(-top.ravel())
    probes = np.repeat(compared.people, top.shape[1])[order]
    others = compared.people[compared.top_columns[:, :60].ravel()[order]]
    scores = top.ravel()[order]
    owners = compared.people[compared.genuine_pairs[:, 0]]
    pairs = np.bincount(owners, minlength=compared.person_count)[owners]
    rows = []
    for drawn in [np.ones(compared.person_count, np.int64), *draws]:
        above = np.cumsum(drawn[probes] * drawn[others])
        total = compared.impostors.sum()
        thresholds = scores[np.searchsorted(above, np.array(COUNTED_RATES) * total)]
        weights = drawn[owners] / pairs
        rows.append([weights[compared.genuine < t].sum() / weights.sum() for t in thresholds])
    return np.array(rows)


def simulation(arguments: argparse.Namespace) -> None:
    """Print both formulas against the truth, at a million."""
    million = 10**6
    print("spread of (place, log scale)  truth  one rate, true FMR  one rate, fitted  each probe's")
    for spreads in ((0.0, 0.0), (0.02, 0.03), (0.02, 0.1), (0.02, 0.12), (0.02, 0.2)):
        zoo = NormalZoo(*spreads)
        threshold = zoo.threshold(0.146, million)
        model = fit_impostors(zoo.comparisons(3000), replicates=arguments.replicates).model
        low, high = model.fpir_interval(threshold, million)
        print(
            f"{spreads[0]:>14} {spreads[1]:>13}  {zoo.fpir(threshold, million):>5.3f}"
            f"  {fpir_of_one_rate(zoo.false_match_rate(threshold), million):>18.3f}"
            f"  {fpir_of_one_rate(model.false_match_rate(threshold), million):>16.3f}"
            f"  {model.fpir(threshold, million):>5.3f} ({low:.3f} to {high:.3f})",
            flush=True,
        )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    for command in (splits, fusion, simulation):
        sub = commands.add_parser(command.__name__, help=(command.__doc__ or "").strip())
        sub.add_argument("--replicates", type=int, default=100, help="of the bootstrap")
        sub.set_defaults(run=command)
        if command is simulation:
            continue
        sub.add_argument("directory", type=Path)
        sub.add_argument("--cache", type=Path, required=True, help="where templates are kept")
        sub.add_argument("--models", type=Path, default=DEFAULT_MODELS)
        sub.add_argument("--label-errors", type=Path)
        sub.add_argument("--pack", action="append", help="may be repeated")
        sub.add_argument("--splits", type=int, default=100)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
