"""From a photograph to its templates: the steps that need no gallery, for one model or several."""

from collections.abc import Sequence
from dataclasses import dataclass

from enrollment.capture import decode
from enrollment.engine import CPU, align, open_engine
from enrollment.faces import DetectedFace, FaceDetector, FaceEmbedder, Image, exactly_one
from enrollment.packs import ModelPack
from enrollment.quality import assess
from uniqueness.template import Template


@dataclass(frozen=True, eq=False)
class FaceModel:
    """A detector, the embedder of the faces that it finds, and the name their templates carry."""

    detector: FaceDetector
    embedder: FaceEmbedder
    model: str


class TemplateExtractor:
    """Makes one template a model of the one person in a photograph; safe in many threads.

    Args:
        models: those with the same detector share what it found.
    """

    def __init__(self, models: Sequence[FaceModel]) -> None:
        self._models = tuple(models)

    @classmethod
    def open(
        cls, packs: Sequence[ModelPack], providers: Sequence[str] = CPU
    ) -> "TemplateExtractor":
        """Open the models of packs; packs with the same detector file open it once."""
        detectors: dict[str, FaceDetector] = {}
        models = []
        for pack in packs:
            detector, embedder = open_engine(pack, providers)
            detector = detectors.setdefault(pack.manifest.detector.file.sha256, detector)
            models.append(FaceModel(detector, embedder, pack.manifest.model))
        return cls(models)

    @property
    def models(self) -> tuple[str, ...]:
        """Names and versions, in the order of the templates."""
        return tuple(model.model for model in self._models)

    def extract(self, capture: bytes) -> tuple[Template, ...]:
        """Decode, find exactly one face, align, assess, embed.

        Args:
            capture: a photograph as JPEG, PNG or WebP bytes.

        Raises:
            CaptureRejected, FaceRejected: the photograph does not show one usable face.
        """
        image = decode(capture)
        found: dict[FaceDetector, DetectedFace] = {}
        return tuple(self._template(image, model, found) for model in self._models)

    def _template(
        self, image: Image, model: FaceModel, found: dict[FaceDetector, DetectedFace]
    ) -> Template:
        if model.detector not in found:
            found[model.detector] = exactly_one(model.detector.detect(image))
        face = found[model.detector]
        aligned = align(image, face)
        assess(face, aligned).require()
        return Template(model.embedder.embed([aligned])[0], model.model)
