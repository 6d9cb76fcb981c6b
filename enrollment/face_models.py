"""The face models of a service, opened: one for each model that its gallery compares."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

from enrollment.batching import BatchingEmbedder
from enrollment.engine import CPU, open_engine
from enrollment.faces import FaceDetector, FaceEmbedder
from enrollment.manifest import Manifest
from enrollment.packs import ModelPack
from enrollment.quality import QualityLimits


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
    models: Sequence[FaceModel], packs: Sequence[ModelPack]
) -> Iterator[tuple[FaceModel, ...]]:
    """The same models, but faces of several requests are embedded together.

    That pays on a GPU; on two processor cores it gained nothing (docs/enrollment.md).
    """
    with ExitStack() as stack:
        together = []
        for model, pack in zip(models, packs, strict=True):
            size = pack.manifest.embedder.max_batch
            embedder = stack.enter_context(
                closing(BatchingEmbedder(model.embedder, max_batch=size))
            )
            together.append(replace(model, embedder=embedder))
        yield tuple(together)
