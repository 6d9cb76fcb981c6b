"""The face models of a service, opened: one for each model that its gallery compares."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias, TypeVar

from enrollment.batching import BatchingDetector, BatchingEmbedder, MicroBatcher
from enrollment.engine import CPU, open_engine
from enrollment.faces import AlignedFace, FaceDetector, FaceEmbedder, FloatArray
from enrollment.manifest import Manifest
from enrollment.packs import ModelPack
from enrollment.quality import QualityLimits
from enrollment.side_by_side import SideBySide

_DETECTOR_BATCH: Final = 16  # photographs of 640 pixels
_MAX_QUEUE: Final = 1024  # items; how many requests are let in bounds them before

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
_Work: TypeAlias = Callable[[Sequence[_Item]], list[_Answer]]


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A detector, the embedder of the faces that it finds, and the name their templates carry.

    Args:
        limits: of the quality of a face.
        same_person: the cosine that any two frames of one person reach.
    """

    detector: FaceDetector
    embedder: FaceEmbedder
    model: str
    limits: QualityLimits
    same_person: float


def open_models(
    packs: Sequence[ModelPack], providers: Sequence[str] = CPU
) -> tuple[FaceModel, ...]:
    """Open the models of packs; packs with the same detector file share it."""
    detectors: dict[str, FaceDetector] = {}
    models = []
    for pack in packs:
        detector, embedder = open_engine(pack, providers)
        detector = detectors.setdefault(pack.manifest.detector.file.sha256, detector)
        models.append(face_model(detector, embedder, pack.manifest))
    return tuple(models)


def face_model(detector: FaceDetector, embedder: FaceEmbedder, manifest: Manifest) -> FaceModel:
    """Put a pack's opened models together with what its manifest says of them."""
    limits = QualityLimits(min_confidence=manifest.detector.min_confidence)
    return FaceModel(detector, embedder, manifest.model, limits, manifest.same_person)


@contextmanager
def batched(
    models: Sequence[FaceModel], packs: Sequence[ModelPack], *, on_gpu: bool
) -> Iterator[tuple[FaceModel, ...]]:
    """The same models for many requests at once.

    A GPU takes faces of several requests in one batch. A CPU gains nothing by that
    (docs/enrollment.md): there each core takes one photograph or face after the other, so that the
    frames of one request are looked at together, too.
    """
    cores = os.cpu_count() or 1
    with ExitStack() as stack:

        def shared(work: _Work[_Item, _Answer], most: int) -> _Work[_Item, _Answer]:
            if on_gpu:
                return stack.enter_context(MicroBatcher(work, max_batch=most, max_queue=_MAX_QUEUE))
            return stack.enter_context(SideBySide(work, cores))

        detectors: dict[FaceDetector, FaceDetector] = {}
        together = []
        for model, pack in zip(models, packs, strict=True):
            if model.detector not in detectors:
                photographs = shared(model.detector.detect, _DETECTOR_BATCH)
                detectors[model.detector] = BatchingDetector(photographs)
            embed = partial(_embedded, model.embedder)
            faces = shared(embed, pack.manifest.embedder.max_batch)
            detector, embedder = detectors[model.detector], BatchingEmbedder(faces)
            together.append(replace(model, detector=detector, embedder=embedder))
        yield tuple(together)


def _embedded(embedder: FaceEmbedder, faces: Sequence[AlignedFace]) -> list[FloatArray]:
    return list(embedder.embed(faces))
