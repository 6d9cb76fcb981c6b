"""From a photograph to its templates: the steps that need no gallery, for one model or several."""

from collections.abc import Sequence
from dataclasses import dataclass

from enrollment.engine import CPU, align, open_engine
from enrollment.faces import DetectedFace, FaceDetector, FaceEmbedder, Image, exactly_one
from enrollment.manifest import Manifest
from enrollment.packs import ModelPack
from enrollment.quality import QualityLimits, assess
from uniqueness.template import Template


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


def extract(image: Image, models: Sequence[FaceModel]) -> tuple[Template, ...]:
    """Make one template a model of the one person in a photograph.

    Args:
        image: (h, w, 3) uint8 BGR.
        models: those with the same detector share what it found.

    Raises:
        FaceRejected: a model does not see one usable face.
    """
    found: dict[FaceDetector, DetectedFace] = {}
    templates = []
    for model in models:
        if model.detector not in found:
            found[model.detector] = exactly_one(model.detector.detect(image))
        face = found[model.detector]
        aligned = align(image, face)
        assess(face, aligned).require()
        templates.append(Template(model.embedder.embed([aligned])[0], model.model))
    return tuple(templates)
