"""Measure a model pack on labelled photographs: what is found, and how far scores separate.

    python benchmarks/face_thresholds.py DIR [--pack opencv] [--json OUT]

DIR holds one folder a person. Every photograph goes the way of the service: decode, the pack's
own detector, exactly one face, alignment, template. Then all pairs are scored by cosine. Folders
that show one person under two names make false "impostors": they are printed at the top of the
list of the highest impostor pairs, to be looked at, and `--label-errors FILE` (two folder names
a line, after looking) takes those pairs out of the impostors and does not count them as genuine.
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from enrollment.capture import decode
from enrollment.engine import align, open_engine
from enrollment.errors import EnrollmentError
from enrollment.faces import FaceDetector, FaceEmbedder, exactly_one
from enrollment.packs import load_pack
from enrollment.quality import QualityReport, assess

FALSE_ACCEPT_RATES = (1e-4, 1e-5, 1e-6)
BYSTANDER_RATIOS = (0.0, 0.25, 1 / 3, 0.5)
DEFAULT_CACHE = Path.home() / ".cache/personhood/models"
PHOTOGRAPHS = {".jpg", ".jpeg", ".png", ".webp"}

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Photograph:
    """What the service saw in one photograph; `vector` is None where it saw no one face."""

    path: Path
    widths: tuple[float, ...]
    outcome: str
    quality: QualityReport | None = None
    vector: FloatArray | None = None

    @property
    def person(self) -> str:
        """The label: the name of the folder."""
        return self.path.parent.name


def see(path: Path, detector: FaceDetector, embedder: FaceEmbedder) -> Photograph:
    """Take one photograph as far as it goes."""
    widths: tuple[float, ...] = ()
    try:
        image = decode(path.read_bytes())
        faces = detector.detect([image])[0]
        widths = tuple(face.width for face in faces)
        face = exactly_one(faces)
        aligned = align(image, face)
    except EnrollmentError as error:
        return Photograph(path, widths, error.code)
    return Photograph(path, widths, "one_face", assess(face, aligned), embedder.embed([aligned])[0])


def detection(photographs: list[Photograph], milliseconds: float) -> dict[str, Any]:
    """Count what was found, also for other ideas of a bystander than the service's."""
    total = len(photographs)
    multiple = {
        f"{ratio:.2f}": sum(
            sum(width >= ratio * max(photo.widths) for width in photo.widths) > 1
            for photo in photographs
            if photo.widths
        )
        for ratio in BYSTANDER_RATIOS
    }
    outcomes = Counter(photo.outcome for photo in photographs)
    reasons = Counter(r for photo in photographs if photo.quality for r in photo.quality.reasons)
    return {
        "photographs": total,
        "people": len({photo.person for photo in photographs}),
        "milliseconds": round(milliseconds, 1),
        "outcomes": dict(outcomes),
        "failure_rate": 1 - outcomes["one_face"] / total,
        "multiple_faces_by_width_ratio": multiple,
        "quality_rejections": dict(reasons),
        "quality_percentiles_0.1_1_5_50_99": {
            name: np.percentile(
                [getattr(p.quality, name) for p in photographs if p.quality], [0.1, 1, 5, 50, 99]
            )
            .round(1)
            .tolist()
            for name in ("eye_distance", "brightness", "sharpness")
        },
    }


def separation(photographs: list[Photograph], label_errors: set[frozenset[str]]) -> dict[str, Any]:
    """Score all pairs; true accepts and cosine thresholds at each false accept rate."""
    seen = [photo for photo in photographs if photo.vector is not None]
    people = np.array([photo.person for photo in seen])
    scores, same, wrong = pair_scores(seen, people, label_errors)
    genuine = np.sort(scores[same])
    impostor = scores[~same & ~wrong]
    operating_points = []
    for rate in FALSE_ACCEPT_RATES:
        accepted = max(1, int(rate * impostor.size))
        threshold = float(np.partition(impostor, -accepted)[-accepted])
        operating_points.append(
            {
                "far": rate,
                "threshold": round(threshold, 4),
                "tar": float((genuine > threshold).mean()),
            }
        )
    return {
        "templates": len(seen),
        "genuine_pairs": int(genuine.size),
        "impostor_pairs": int(impostor.size),
        "label_error_pairs": int(wrong.sum()),
        "operating_points": operating_points,
        "highest_impostors": highest_impostors(seen, scores, same, wrong),
    }


def pair_scores(
    seen: list[Photograph], people: npt.NDArray[np.str_], label_errors: set[frozenset[str]]
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Scores of all pairs i < j, row by row, with "same label" and "known label error"."""
    vectors = np.stack([photo.vector for photo in seen if photo.vector is not None])
    rows, columns = np.triu_indices(len(seen), k=1)
    scores = (vectors @ vectors.T)[rows, columns]
    same = people[rows] == people[columns]
    wrong = np.zeros_like(same)
    for first, second in (tuple(pair) for pair in label_errors):
        in_first, in_second = people == first, people == second
        wrong |= (in_first[rows] & in_second[columns]) | (in_second[rows] & in_first[columns])
    return scores, same, wrong


def highest_impostors(
    seen: list[Photograph], scores: FloatArray, same: BoolArray, wrong: BoolArray, count: int = 40
) -> list[dict[str, Any]]:
    """List the pairs of different labels that score highest, for a person to look at."""
    rows, columns = np.triu_indices(len(seen), k=1)
    candidates = np.where(same | wrong, -1.0, scores)
    best = np.argpartition(candidates, -count)[-count:]
    best = best[np.argsort(-candidates[best])]
    return [
        {
            "score": round(float(scores[i]), 3),
            "pair": [seen[rows[i]].path.stem, seen[columns[i]].path.stem],
        }
        for i in best
    ]


def measure(directory: Path, pack_name: str, cache: Path, errors: set[frozenset[str]]) -> Any:
    """Measure one pack on a directory."""
    pack = load_pack(pack_name, cache)
    detector, embedder = open_engine(pack)
    paths = sorted(p for p in directory.glob("*/*") if p.suffix.lower() in PHOTOGRAPHS)
    started = time.perf_counter()
    photographs = [see(path, detector, embedder) for path in paths]
    milliseconds = (time.perf_counter() - started) * 1000 / max(1, len(paths))
    return {
        "pack": pack_name,
        "model": pack.manifest.model,
        "detection": detection(photographs, milliseconds),
        "separation": separation(photographs, errors),
    }


def print_table(result: dict[str, Any]) -> None:
    """Print what a person compares."""
    found, pairs = result["detection"], result["separation"]
    print(f"{result['pack']}: {found['photographs']} photographs of {found['people']} people")
    print(f"  not exactly one face   {found['failure_rate']:.2%}  {found['outcomes']}")
    print(f"  several faces, by ratio {found['multiple_faces_by_width_ratio']}")
    print(f"  quality rejections     {found['quality_rejections']}")
    print(f"  quality percentiles    {found['quality_percentiles_0.1_1_5_50_99']}")
    print(f"  milliseconds a photograph {found['milliseconds']}")
    print(
        f"  pairs: {pairs['genuine_pairs']} genuine, {pairs['impostor_pairs']} impostor, "
        f"{pairs['label_error_pairs']} label errors left out"
    )
    print("  FAR      TAR      cosine")
    for point in pairs["operating_points"]:
        print(f"  {point['far']:.0e}  {point['tar']:.4%}  {point['threshold']:.3f}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pack", action="append", help="name or directory; may be repeated")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--label-errors", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    errors = set()
    if arguments.label_errors:
        lines = arguments.label_errors.read_text().splitlines()
        errors = {frozenset(line.split()) for line in lines if line and not line.startswith("#")}
    results = [
        measure(arguments.directory, pack, arguments.cache, errors)
        for pack in arguments.pack or ["opencv"]
    ]
    for result in results:
        print_table(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
