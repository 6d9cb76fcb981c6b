"""Measure an enrolment: CPU time of one request, and what micro-batching gains.

    python benchmarks/enrollment_speed.py DIR [--pack opencv] [--gallery 100000] [--requests 60]
                                              [--pad pad-livenessnet] [--device cpu]

One request is three photographs of a person of DIR (one folder a person), as JPEG at 1280x960:
decode, detect, align, quality, pose, three embeddings, consistency, the passive model, the hashes
against replay, one template, and an exact search of the gallery (random unit vectors, NumPy). Left
out is what waits and does not compute: HTTP, signatures, the database's commit. CPU time counts
every thread, so it is the time on one core.
"""

import os

# NumPy's search would leave threads behind that wait by computing, which the service has not.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from enrollment.batching import BatchingEmbedder, MicroBatcher
from enrollment.capture import decode, wiped
from enrollment.engine import align, open_engine, open_pad_model
from enrollment.errors import EnrollmentError
from enrollment.examination import in_a_mirror
from enrollment.faces import AlignedFace, FaceDetector, FaceEmbedder, exactly_one
from enrollment.frames import merge, require_one_person
from enrollment.packs import ModelPack, load_pack, load_pad_pack
from enrollment.pad import DepthByTurning, FaceScorer, Frame, PassiveModel
from enrollment.pose import Pose, shows
from enrollment.quality import QualityLimits, assess
from enrollment.replay import perceptual_hash

CACHE = Path.home() / ".cache/personhood/models"
PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
}
CAMERA = (1280, 960)  # pixels
CLIENTS = 16

Floats = npt.NDArray[np.float32]


def sessions(folder: Path, count: int) -> list[list[bytes]]:
    """Three photographs of each of some people, as a kiosk's camera would send them."""
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    chosen = [p for p in people if len(list(p.iterdir())) >= 3][:count]
    return [[as_camera(path) for path in sorted(p.iterdir())[:3]] for p in chosen]


def as_camera(path: Path) -> bytes:
    """Fit a photograph into the camera's picture."""
    buffer = io.BytesIO()
    ImageOps.pad(Image.open(path).convert("RGB"), CAMERA).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def serve(
    frames: list[bytes],
    pack: ModelPack,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    scorer: FaceScorer,
    gallery: Floats,
) -> Floats:
    """Do all that a request computes; refusals are counted as work and not obeyed."""
    limits = QualityLimits(min_confidence=pack.manifest.detector.min_confidence)
    seen, aligned, weights = [], [], []
    images = [decode(content) for content in frames]
    for image, found in zip(images, detector.detect(images), strict=True):
        face = exactly_one(found)
        crop = align(image, face)
        report = assess(face, crop, limits)
        report.reasons, shows(face, Pose.FRONT), perceptual_hash(crop)
        seen.append(Frame(image, face, Pose.FRONT))
        aligned.append(crop)
        weights.append(report.weight)
    mirrored = in_a_mirror(detector, images[:2])  # of both sides: the most
    for crop in filter(None, mirrored):
        perceptual_hash(crop)
    aligned_and_mirrored = [*aligned, *filter(None, mirrored)]
    with wiped(*(frame.image for frame in seen), *(crop.pixels for crop in aligned_and_mirrored)):
        for check in (DepthByTurning(), PassiveModel("pad", scorer, 0.0)):
            check.examine(seen)
        vectors = embedder.embed(aligned)
    require_one_person(vectors, -1.0)
    scores = gallery @ merge(vectors, weights)
    return gallery[np.argpartition(scores, -10)[-10:]]


def latency(run: Callable[[list[bytes]], object], requests: list[list[bytes]]) -> None:
    """Print CPU time a request, one client."""
    spent, refused = [], 0
    for frames in requests:
        started = time.process_time()
        try:
            run(frames)
        except EnrollmentError:
            refused += 1  # more than one face in the photograph: no whole request
            continue
        spent.append(time.process_time() - started)
    low, middle, high = (1000 * v for v in np.quantile(spent, (0.05, 0.5, 0.95)))
    print(
        f"one request, CPU: median {middle:.0f} ms, p5 {low:.0f} ms, p95 {high:.0f} ms "
        f"({len(spent)} requests, {refused} left out)"
    )


def embedding(embedder: FaceEmbedder, batches: tuple[int, ...]) -> None:
    """Print faces a second, one thread of ours."""
    for size in batches:
        faces = random_faces(size)
        embedder.embed(faces)
        rounds = max(1, 32 // size)
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(rounds):
            embedder.embed(faces)
        n, wall, cpu = size * rounds, time.perf_counter() - started, time.process_time() - cpu
        each = 1000 * cpu / n
        print(f"embedding, batch {size:3}: {n / wall:7.1f} faces/s, {each:6.2f} ms CPU a face")


def batching(embedder: FaceEmbedder, max_batch: int, faces_a_client: int) -> None:
    """Print what many clients get, each with one face at a time, with and without batches."""
    rates = {}
    with ThreadPoolExecutor(CLIENTS) as clients:
        batcher = MicroBatcher(
            lambda faces: list(embedder.embed(faces)), max_batch=max_batch, max_queue=CLIENTS
        )
        batched = BatchingEmbedder(batcher)
        for name, model in (("one at a time", embedder), ("micro-batches", batched)):
            faces = random_faces(CLIENTS * faces_a_client)
            list(clients.map(lambda face, m=model: m.embed([face]), faces[:CLIENTS]))
            started, cpu = time.perf_counter(), time.process_time()
            list(clients.map(lambda face, m=model: m.embed([face]), faces))
            wall, cpu = time.perf_counter() - started, time.process_time() - cpu
            rates[name] = len(faces) / wall, len(faces) / cpu
            print(
                f"{CLIENTS} clients, {name}: {rates[name][0]:.1f} faces/s, "
                f"{rates[name][1]:.1f} faces a CPU second"
            )
        batcher.close()
    ratios = [b / a for a, b in zip(*rates.values(), strict=True)]
    print(f"gain of micro-batches: {ratios[0]:.2f} by the clock, {ratios[1]:.2f} by CPU time")


def random_faces(count: int) -> list[AlignedFace]:
    """Noise, which costs a network what a face costs."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)
    return [AlignedFace(each) for each in pixels]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pack", default="opencv")
    parser.add_argument("--pad", default="pad-livenessnet")
    parser.add_argument("--gallery", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--device", choices=PROVIDERS, default="cpu")
    parser.add_argument("--skip-batching", action="store_true")
    options = parser.parse_args()
    pack = load_pack(options.pack, CACHE)
    detector, embedder = open_engine(pack, PROVIDERS[options.device])
    scorer = open_pad_model(load_pad_pack(options.pad, CACHE), PROVIDERS[options.device])
    shape = options.gallery, pack.manifest.embedding_size
    gallery = np.random.default_rng(0).standard_normal(shape, np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    requests = sessions(options.directory, options.requests)
    print(f"pack {options.pack}, gallery {len(gallery)}, {options.device}")
    latency(
        lambda frames: serve(frames, pack, detector, embedder, scorer, gallery),
        requests[:2] + requests,
    )
    if not options.skip_batching:
        max_batch = pack.manifest.embedder.max_batch
        sizes = (1, 16, 64, 256) if options.device == "cuda" else (1, 8, 32)
        embedding(embedder, tuple(size for size in sizes if size <= max(max_batch, 1)))
        batching(embedder, max_batch, 64 if options.device == "cuda" else 3)


if __name__ == "__main__":
    main()
