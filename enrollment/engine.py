"""The face engine: with `enrollment.yunet`, all that knows OpenCV, ONNX Runtime and InsightFace.

YuNet (Wu et al., 2023) and the ArcFace-style embedders (Deng et al., 2019) run in ONNX Runtime,
SCRFD (Guo et al., 2021) in InsightFace's model zoo on it. The libraries are imported when the first
model is opened: a command that sees no face does not wait for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from enrollment.errors import ModelPackInvalid, NoFace
from enrollment.faces import (
    ALIGNED_SIZE,
    AlignedFace,
    DetectedFace,
    FaceDetector,
    FaceEmbedder,
    FloatArray,
    Image,
    widest_first,
)
from enrollment.graphs import rewritten
from enrollment.manifest import EmbedderSpec, PadManifest
from enrollment.packs import ModelPack, PadPack
from enrollment.tfjs import convert
from enrollment.yunet import YuNetDetector

CPU = ("CPUExecutionProvider",)

_SCRFD_CONFIDENCE = 0.6
_SCRFD_PREPROCESSING = {"mean": 127.5, "std": 128.0}
_ORT_LOG_ERRORS = 3
_DEFAULT_BATCH = 64


def open_engine(
    pack: ModelPack, providers: Sequence[str] = CPU
) -> tuple[FaceDetector, FaceEmbedder]:
    """Open a pack's models.

    Args:
        pack: from `enrollment.packs.load_pack`, which checked the digests.
        providers: ONNX Runtime's execution providers, best first.
    """
    import cv2

    cv2.setNumThreads(1)  # two take twice the time of a core to scale a photograph no sooner
    detector: FaceDetector
    if pack.manifest.detector.kind == "yunet":
        model = rewritten(pack.detector_path.read_bytes(), any_length=(0, 2, 3))
        detector = YuNetDetector(_open_session(model, providers))
    else:
        detector = ScrfdDetector(pack.detector_path, providers)
    return detector, OnnxEmbedder(pack.embedder_path, pack.manifest.embedder, providers)


def open_pad_model(pack: PadPack, providers: Sequence[str] = CPU) -> "PadModel":
    """Open a pack's model against presentation attacks.

    Raises:
        ModelPackInvalid: a TensorFlow.js model cannot be converted exactly.
    """
    files = pack.read()
    model = convert(*files) if pack.manifest.format == "tfjs" else files[0]
    return PadModel(model, pack.manifest, providers)


@dataclass(frozen=True)
class InsightFaceModels:
    """What InsightFace found in a directory, with the embedder's own preprocessing."""

    detector: Path
    embedder: Path
    embedding_size: int
    mean: float
    std: float
    max_batch: int


def find_insightface_models(directory: Path) -> InsightFaceModels:
    """Find SCRFD and an ArcFace-style embedder among the ONNX files of a directory.

    Raises:
        ModelPackInvalid: one of them is not there, or InsightFace cannot read the directory.
    """
    from insightface.app import FaceAnalysis

    try:
        wanted = ["detection", "recognition"]
        found = FaceAnalysis(str(directory), allowed_modules=wanted, providers=list(CPU)).models
        detector, embedder = found["detection"], found["recognition"]
        batch, size = embedder.input_shape[0], embedder.output_shape[1]
        return InsightFaceModels(
            detector=Path(detector.model_file),
            embedder=Path(embedder.model_file),
            embedding_size=int(size),
            mean=float(embedder.input_mean),
            std=float(embedder.input_std),
            max_batch=batch if isinstance(batch, int) else _DEFAULT_BATCH,
        )
    except Exception as error:  # InsightFace asserts, and raises what its parsers raise
        raise ModelPackInvalid(
            f"{directory} is no directory with an SCRFD detector and an ArcFace-style embedder: "
            f"{type(error).__name__} {error}".rstrip()
        ) from error


class ScrfdDetector:
    """SCRFD on ONNX Runtime, searched at 128 and 640 pixels for near and far faces."""

    def __init__(self, path: Path, providers: Sequence[str]) -> None:
        from insightface.model_zoo import get_model

        self._network = get_model(
            str(path),
            model_task="detection",
            model_metadata={"preprocessing": _SCRFD_PREPROCESSING},
            providers=list(providers),
            sess_options=_session_options(),
        )

    def detect(self, images: Sequence[Image]) -> list[tuple[DetectedFace, ...]]:
        """Find faces, one image after the other: its library takes no more."""
        return [self._search(image) for image in images]

    def _search(self, image: Image) -> tuple[DetectedFace, ...]:
        boxes, landmarks = self._network.detect(image, det_thresh=_SCRFD_CONFIDENCE)
        return widest_first(
            DetectedFace(box=box[:4], landmarks=points, confidence=float(box[4]))
            for box, points in zip(boxes, landmarks, strict=True)
        )


class OnnxEmbedder:
    """An ArcFace-style network on ONNX Runtime."""

    def __init__(self, path: Path, spec: EmbedderSpec, providers: Sequence[str]) -> None:
        model = rewritten(
            path.read_bytes(),
            any_length=(0,) if spec.max_batch > 1 else (),
            without_prelu=tuple(providers) == CPU,
        )
        self._session = _open_session(model, providers)
        self._input = self._session.get_inputs()[0].name
        self._spec = spec

    def embed(self, faces: Sequence[AlignedFace]) -> FloatArray:
        """Embed faces, at most the model's own batch size at a time."""
        size = self._spec.max_batch
        batches = [
            self._session.run(None, {self._input: self._batch(faces[start : start + size])})[0]
            for start in range(0, len(faces), size)
        ]
        vectors = np.concatenate(batches)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float32, copy=False)

    def _batch(self, faces: Sequence[AlignedFace]) -> FloatArray:
        """Faces as the network was trained on them: (n, 3, 112, 112)."""
        import cv2

        spec = self._spec
        return np.asarray(
            cv2.dnn.blobFromImages(
                [face.pixels for face in faces],
                scalefactor=1 / spec.std,
                mean=(spec.mean, spec.mean, spec.mean),
                swapRB=spec.channels == "RGB",
            ),
            np.float32,
        )


class PadModel:
    """A classifier of the square around a face: bona fide, or a picture of a face."""

    def __init__(self, model: bytes, manifest: PadManifest, providers: Sequence[str]) -> None:
        self._session = _open_session(model, providers)
        self._input = self._session.get_inputs()[0]
        self._manifest = manifest

    def score(self, image: Image, face: DetectedFace) -> float:
        """Score one face in an (h, w, 3) uint8 BGR photograph: towards 1 is bona fide."""
        manifest = self._manifest
        pixels = square_around(image, face, manifest.crop, manifest.input_size)
        order = slice(None) if manifest.channels == "BGR" else slice(None, None, -1)
        batch = ((pixels[None, ..., order].astype(np.float32)) - manifest.mean) / manifest.std
        if self._input.shape[-1] != batch.shape[-1]:  # channels come first, unless the model
            batch = batch.transpose(0, 3, 1, 2)  # says that they come last
        scores = self._session.run(None, {self._input.name: np.ascontiguousarray(batch)})[0][0]
        if manifest.logits:
            scores = np.exp(scores - scores.max())
            scores /= scores.sum()
        return float(scores[manifest.live])


def align(image: Image, face: DetectedFace) -> AlignedFace:
    """Warp a face to the 112x112 reference by the least-squares similarity transform.

    The same transform as InsightFace's `norm_crop` (Umeyama, 1991), except that landmarks from
    which none can be found are an error and not an image of noise.

    Raises:
        NoFace: the landmarks are degenerate.
    """
    import cv2
    from insightface.utils.face_align import arcface_dst
    from skimage.transform import SimilarityTransform

    transform = SimilarityTransform.from_estimate(face.landmarks, arcface_dst)
    if not transform:
        raise NoFace("No clear face was found. Look straight at the camera.")
    matrix = transform.params[:2]
    return AlignedFace(_image(cv2.warpAffine(image, matrix, (ALIGNED_SIZE, ALIGNED_SIZE))))


def flipped(image: Image) -> Image:
    """What a mirror shows of an (h, w, 3) uint8 BGR photograph: a copy."""
    import cv2

    return _image(cv2.flip(image, 1))


def square_around(image: Image, face: DetectedFace, scale: float, size: int) -> Image:
    """Cut a square around a face; what lies outside of the photograph repeats its border.

    Args:
        image: (h, w, 3) uint8 BGR.
        face: in its pixels.
        scale: the square's side over the longer side of the face's box.
        size: pixels of the result, to which the square is scaled.

    Returns:
        (size, size, 3) uint8 BGR.
    """
    import cv2

    box = face.box.astype(float)
    side = max(1.0, float((box[2:] - box[:2]).max()) * scale)
    zoom, corner = size / side, (box[:2] + box[2:]) / 2 - side / 2
    matrix = np.array([[zoom, 0.0, -corner[0] * zoom], [0.0, zoom, -corner[1] * zoom]])
    border = cv2.BORDER_REPLICATE
    return _image(cv2.warpAffine(image, matrix, (size, size), borderMode=border))


def _open_session(model: bytes, providers: Sequence[str]) -> Any:
    from uniqueness.onnx import onnxruntime

    return onnxruntime.InferenceSession(model, _session_options(), providers=list(providers))


def _session_options() -> Any:
    from uniqueness.onnx import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ORT_LOG_ERRORS
    # Several faces are looked at at once, each by one thread: these networks are so small that
    # threads which share one of them mostly wait for each other.
    options.intra_op_num_threads = 1
    return options


def _image(pixels: Any) -> Image:
    """Narrow OpenCV's type, which does not know that uint8 stays uint8."""
    return np.asarray(pixels, np.uint8)
