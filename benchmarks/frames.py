"""Measure frames of one session: how alike one person's are, and what a merged template gains.

    python benchmarks/frames.py DIR [--pack opencv] [--people 2000]

DIR holds one folder a person; people with one photograph are left out. Photographs of one person
stand for the frames of one session, although years lie between many of them: the false refusals
are an upper bound. `benchmarks/lfw_label_errors.txt` names folders that are left out.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pad import CACHE, wilson

from enrollment.capture import decode
from enrollment.engine import align, open_engine
from enrollment.errors import EnrollmentError
from enrollment.faces import exactly_one
from enrollment.frames import merge
from enrollment.packs import ModelPack, load_pack
from enrollment.pose import Pose, head_pose
from enrollment.quality import assess

LABEL_ERRORS = Path(__file__).with_name("lfw_label_errors.txt")

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


class Faces:
    """What the service saw: a row of each array a photograph."""

    def __init__(self, folder: Path, pack: ModelPack, people: int) -> None:
        detector, embedder = open_engine(pack)
        vectors, yaws, weights, who = [], [], [], []
        doubtful = set(LABEL_ERRORS.read_text().split())
        folders = [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in doubtful]
        for number, person in enumerate(
            [p for p in folders if len(list(p.iterdir())) > 1][:people]
        ):
            for path in sorted(person.iterdir()):
                try:
                    image = decode(path.read_bytes())
                    face = exactly_one(detector.detect([image])[0])
                    crop = align(image, face)
                except EnrollmentError:
                    continue
                vectors.append(embedder.embed([crop])[0])
                yaws.append(head_pose(face).yaw)
                weights.append(assess(face, crop).weight)
                who.append(number)
        self.vectors = np.stack(vectors)
        self.yaw, self.weight, self.who = np.array(yaws), np.array(weights), np.array(who)


def consistency(faces: Faces, limit: float) -> None:
    """Print the rates of two frames, for each two poses."""
    shown = {"front": np.abs(faces.yaw) <= 20}
    shown["turned"] = (np.abs(faces.yaw) >= 25) & (np.abs(faces.yaw) <= 60)
    scores = faces.vectors @ faces.vectors.T
    same = faces.who[:, None] == faces.who
    once = np.triu(np.ones_like(same), 1)
    for one, other in (("front", "front"), ("front", "turned")):
        pairs = shown[one][:, None] & shown[other]
        if one == other:
            pairs &= once
        genuine, impostor = scores[pairs & same], scores[pairs & ~same]
        print(f"{one} and {other}, limit {limit}")
        print(f"  one person refused   {wilson(int((genuine < limit).sum()), len(genuine))}")
        print(f"  two people let pass  {wilson(int((impostor >= limit).sum()), len(impostor))}")


def merging(faces: Faces, thresholds: tuple[float, ...]) -> None:
    """Print how often a third photograph finds the template of one front frame, and of two."""
    single, merged, best = [], [], []
    for person in range(faces.who.max() + 1):
        rows = np.flatnonzero((faces.who == person) & (np.abs(faces.yaw) <= 20))
        if len(rows) < 3:
            continue
        probe, first, second = faces.vectors[rows[2]], rows[0], rows[1]
        template = merge(
            faces.vectors[[first, second]],
            faces.weight[[first, second]].tolist(),
            [Pose.FRONT, Pose.FRONT],
        )
        merged.append(float(template @ probe))
        single += [float(faces.vectors[row] @ probe) for row in (first, second)]
        best.append(max(single[-2:]))
    for threshold in thresholds:
        print(f"missed at {threshold}, one frame   {missed(single, threshold)}")
        print(f"missed at {threshold}, two merged  {missed(merged, threshold)}")
        print(f"missed at {threshold}, better of 2 {missed(best, threshold)}")


def missed(scores: list[float], threshold: float) -> str:
    """Write the share of scores below."""
    return wilson(sum(score < threshold for score in scores), len(scores))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pack", default="opencv")
    parser.add_argument("--people", type=int, default=2000)
    options = parser.parse_args()
    pack = load_pack(options.pack, CACHE)
    faces = Faces(options.directory, pack, options.people)
    print(f"pack {options.pack}: {len(faces.who)} photographs of {faces.who.max() + 1} people")
    consistency(faces, pack.manifest.same_person)
    thresholds = pack.manifest.thresholds
    merging(faces, (thresholds.review, thresholds.duplicate))


if __name__ == "__main__":
    main()
