"""Measure what keeps pictures of faces out: error rates with intervals, on simulated attacks.

    python benchmarks/pad.py DIR [--pack opencv] [--pad pad-livenessnet] [--people 400] [--seed 1]

DIR holds one folder a person. One photograph a person is bona fide, so that Wilson's 95 % interval
holds; the attacks are made of the same photographs (benchmarks/simulated.py). BPCER is the share of
bona fide presentations refused, APCER the share of attacks let through (ISO/IEC 30107-3). Simulated
attacks on press photographs bound nothing at a real kiosk: they show what each check reacts to.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from simulated import (
    Image,
    hold_flat,
    print_and_photograph,
    send_again,
    show_on_screen,
    turn_head,
)

from enrollment.capture import decode
from enrollment.engine import align, open_engine, open_pad_model
from enrollment.errors import EnrollmentError
from enrollment.faces import DetectedFace, FaceDetector, exactly_one
from enrollment.packs import load_pack, load_pad_pack
from enrollment.pad import DepthByTurning, Frame
from enrollment.pose import Pose, head_pose, shows
from enrollment.replay import BANDS, SAME_BANDS, perceptual_hash

CACHE = Path.home() / ".cache/personhood/models"
TARGET_BPCER = 0.01
TURNS = (30.0, 35.0, 40.0, 45.0)  # degrees, as far as a person goes until the page is content

Detect = Callable[[Image], DetectedFace | None]


@dataclass(frozen=True, eq=False)
class Photograph:
    """One person's."""

    image: Image
    face: DetectedFace


def photographs(folder: Path, detector: FaceDetector, people: int, seed: int) -> list[Photograph]:
    """Draw people, and take one photograph of each in which one face is found."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    found = []
    for number in np.random.default_rng(seed).permutation(len(folders)):
        try:
            image = decode(min(folders[number].iterdir()).read_bytes())
            found.append(Photograph(image, exactly_one(detector.detect([image])[0])))
        except EnrollmentError:
            continue
        if len(found) == people:
            break
    return found


def wilson(hits: int, of: int) -> str:
    """Write a rate with its 95 % interval."""
    if not of:
        return "none tried"
    z, rate = 1.96, hits / of
    middle = (rate + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{100 * rate:5.1f} % [{100 * low:.1f}, {100 * high:.1f}]  {hits}/{of}"


def by_turning(photos: Sequence[Photograph], detect: Detect) -> None:
    """Print how often a turned head passes the challenge, and how often a flat picture does."""
    for name, sessions in (
        ("BPCER, heads that turn until the page is content", turned_heads(photos, detect)),
        ("APCER, one photograph held flat", flat(photos, detect, bend=0)),
        ("APCER, one photograph bent by 30 degrees", flat(photos, detect, bend=30)),
        ("APCER, one photograph bent by 60 degrees", flat(photos, detect, bend=60)),
    ):
        tried = posed = passed = 0
        for front, other, pose in sessions:
            tried += 1
            if front is None or other is None:
                continue
            if shows(front, Pose.FRONT) and shows(other, pose):
                posed += 1
                passed += has_depth(front, other, pose)
        if name.startswith("BPCER"):
            print(f"{name}\n  refused by pose         {wilson(tried - posed, tried)}")
            print(f"  refused by pose or depth {wilson(tried - passed, tried)}")
        else:
            print(f"{name}\n  let through by pose     {wilson(posed, tried)}")
            print(f"  by pose and depth       {wilson(passed, tried)}")


EMPTY = np.zeros((1, 1, 3), np.uint8)
Session = tuple[DetectedFace | None, DetectedFace | None, Pose]


def has_depth(front: DetectedFace, other: DetectedFace, pose: Pose) -> bool:
    """Ask the service's check."""
    pair = [Frame(EMPTY, front, Pose.FRONT), Frame(EMPTY, other, pose)]
    return not DepthByTurning().examine(pair).suspected


def turned_heads(photos: Sequence[Photograph], detect: Detect) -> Iterator[Session]:
    """Turn those who look at the camera to both sides, further until the page is content."""
    for photo in photos:
        yaw = head_pose(photo.face).yaw
        if abs(yaw) > 10:  # not as somebody who was asked to look at the camera
            continue
        for pose, side in ((Pose.LEFT, 1), (Pose.RIGHT, -1)):
            for angle in TURNS:
                image = turn_head(photo.image, photo.face.landmarks, side * angle - yaw)
                turned = detect(image)
                if (
                    turned is not None
                    and shows(turned, pose)
                    and has_depth(photo.face, turned, pose)
                ):
                    break
            yield photo.face, turned, pose


def flat(photos: Sequence[Photograph], detect: Detect, *, bend: float) -> Iterator[Session]:
    """Hold each photograph up: first straight or a little off, then turned as far as it helps."""
    for photo in photos:
        landmarks = photo.face.landmarks
        yaw = head_pose(photo.face).yaw
        pose = Pose.LEFT if yaw > 0 else Pose.RIGHT  # the side that it nearly shows already
        for angle in (-60.0, -50.0, -40.0, 40.0, 50.0, 60.0):
            front = hold_flat(photo.image, landmarks, -angle / 4)
            other = hold_flat(photo.image, landmarks, angle, bend=bend)
            yield detect(front), detect(other), pose


def by_model(photos: Sequence[Photograph], detect: Detect, pad: str, seed: int) -> None:
    """Print the error rates of a passive model at a threshold for the target BPCER."""
    pack, generator = load_pad_pack(pad, CACHE), np.random.default_rng(seed)
    model = open_pad_model(pack)
    scores: dict[str, list[float]] = {"bona fide": [], "print": [], "screen": []}
    started = time.process_time()
    for photo in photos:
        scores["bona fide"].append(model.score(photo.image, photo.face))
    spent = (time.process_time() - started) / len(photos)
    for photo in photos:
        for name, attack in (("print", print_and_photograph), ("screen", show_on_screen)):
            image = attack(photo.image, generator)
            if (face := detect(image)) is not None:
                scores[name].append(model.score(image, face))
    half = len(photos) // 2
    bona_fide = np.array(scores["bona fide"])
    threshold = float(np.quantile(bona_fide[:half], TARGET_BPCER))
    print(f"{pad}: {1000 * spent:.1f} ms CPU a face; threshold for a BPCER of 1 %: {threshold:.3f}")
    for limit, name in ((threshold, "that"), (pack.manifest.threshold, "the pack's")):
        print(f"  at {name} threshold, {limit:.3f}")
        refused = int((bona_fide[half:] < limit).sum())
        print(f"    BPCER, the other half  {wilson(refused, len(bona_fide) - half)}")
        for attack in ("print", "screen"):
            passed = int((np.array(scores[attack]) >= limit).sum())
            print(f"    APCER, {attack:<15} {wilson(passed, len(scores[attack]))}")
    for attack in ("print", "screen"):
        wins = bona_fide[:, None] > np.array(scores[attack])[None]
        print(
            f"  bona fide scores above {attack}: {100 * wins.mean():.1f} % of pairs (chance: 50 %)"
        )


def by_hash(photos: Sequence[Photograph], detect: Detect, seed: int) -> None:
    """Print how often a picture that was sent again is known, and a new one is taken for it."""
    generator, again, known = np.random.default_rng(seed), 0, 0
    bands = [bands_of(photo.image, photo.face) for photo in photos]
    for photo, first in zip(photos, bands, strict=True):
        image = send_again(photo.image, generator)
        if (face := detect(image)) is not None:
            again += 1
            known += int((bands_of(image, face) == first).sum()) >= SAME_BANDS
    stacked = np.stack(bands)
    equal = (stacked[:, None] == stacked[None]).sum(axis=2)[np.triu_indices(len(bands), 1)]
    print(f"sent again after cropping, scaling, toning and JPEG: known {wilson(known, again)}")
    print(f"two people: taken for one {wilson(int((equal >= SAME_BANDS).sum()), len(equal))}")


def bands_of(image: Image, face: DetectedFace) -> np.ndarray:
    """Get the bytes of a face's hash."""
    code = perceptual_hash(align(image, face)).to_bytes(BANDS, "big")
    return np.frombuffer(code, np.uint8)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pack", default="opencv")
    parser.add_argument("--pad", default="pad-livenessnet")
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["turning", "model", "hash"])
    options = parser.parse_args()
    detector, _ = open_engine(load_pack(options.pack, CACHE))

    def detect(image: Image) -> DetectedFace | None:
        return next(iter(detector.detect([image])[0]), None)

    photos = photographs(options.directory, detector, options.people, options.seed)
    print(f"{len(photos)} photographs of as many people; pack {options.pack}\n")
    if options.only in (None, "turning"):
        by_turning(photos, detect)
    if options.only in (None, "model"):
        by_model(photos, detect, options.pad, options.seed)
    if options.only in (None, "hash"):
        by_hash(photos, detect, options.seed)


if __name__ == "__main__":
    main()
