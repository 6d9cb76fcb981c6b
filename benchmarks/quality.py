"""Measure the quality limits: what ordinary photographs pass, and what degraded copies do not.

    python benchmarks/quality.py DIR [--pack opencv] [--people 200] [--seed 1]

DIR holds one folder a person; one photograph of each of some people is taken, with one face in it.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from pad import CACHE, Photograph, photographs, wilson
from simulated import Image, cover

from enrollment.engine import align, open_engine
from enrollment.errors import EnrollmentError
from enrollment.faces import FaceDetector, exactly_one
from enrollment.packs import load_pack
from enrollment.quality import QualityLimits, assess

Change = Callable[[Photograph], Image]


def changes() -> dict[str, Change]:
    """Name what is done to a photograph."""
    return {
        "as it is": lambda photo: photo.image,
        "blurred by 2 pixels": lambda photo: cv2.GaussianBlur(photo.image, (0, 0), 2),
        "blurred by 4 pixels": lambda photo: cv2.GaussianBlur(photo.image, (0, 0), 4),
        "a fifth of the light": lambda photo: toned(photo.image, 0.2, 0),
        "twice the light": lambda photo: toned(photo.image, 2.0, 40),
        "a tenth of the contrast": lambda photo: toned(photo.image, 0.1, 115),
        "two fifths of the size": lambda photo: cv2.resize(photo.image, None, fx=0.4, fy=0.4),
        "dark glasses": lambda photo: cover(photo.image, photo.face.landmarks, "glasses"),
        "mask": lambda photo: cover(photo.image, photo.face.landmarks, "mask"),
        "one side covered": lambda photo: cover(photo.image, photo.face.landmarks, "side"),
    }


def toned(image: Image, gain: float, offset: float) -> Image:
    """Scale and shift the tones, clipped."""
    return np.clip(image * gain + offset, 0, 255).astype(np.uint8)


def outcome(image: Image, detector: FaceDetector, limits: QualityLimits) -> str:
    """Name the first reason against a photograph, or nothing."""
    try:
        face = exactly_one(detector.detect([image])[0])
        assess(face, align(image, face), limits).require()
    except EnrollmentError as error:
        return error.code
    return ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pack", default="opencv")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    pack = load_pack(options.pack, CACHE)
    detector, _ = open_engine(pack)
    limits = QualityLimits(min_confidence=pack.manifest.detector.min_confidence)
    photos = photographs(options.directory, detector, options.people, options.seed)
    for name, change in changes().items():
        reasons = Counter(outcome(change(photo), detector, limits) for photo in photos)
        refused = len(photos) - reasons.pop("", 0)
        said = ", ".join(f"{code} {count}" for code, count in reasons.most_common())
        print(f"{name:<25} refused {wilson(refused, len(photos))}  {said}")


if __name__ == "__main__":
    main()
