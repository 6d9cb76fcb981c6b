"""The face engine: the one file that knows OpenCV, ONNX Runtime and InsightFace.

SCRFD (Guo et al., 2021) and the ArcFace-style embedders (Deng et al., 2019) run in
InsightFace's model zoo on ONNX Runtime; YuNet (Wu et al., 2023) runs in OpenCV. The libraries
are imported when the first model is opened: a command that sees no face does not wait for them.
"""

import threading
from collections.abc import Iterable, Sequence
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
)
from enrollment.manifest import EmbedderSpec, PadManifest
from enrollment.packs import ModelPack, PadPack
from enrollment.tfjs import convert

CPU = ("CPUExecutionProvider",)

_YUNET_MAX_SIDE = 640  # pixels; it was trained on faces up to about 300 pixels
_YUNET_CONFIDENCE = 0.8
_YUNET_NMS = 0.3
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
    detector: FaceDetector
    if pack.manifest.detector.kind == "yunet":
        detector = YuNetDetector(pack.detector_path)
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


class YuNetDetector:
    """YuNet by `cv2.FaceDetectorYN`, which is neither thread-safe nor sizeless: one a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def detect(self, image: Image) -> tuple[DetectedFace, ...]:
        """Find faces; an image larger than YuNet's range is searched scaled down."""
        import cv2

        height, width = image.shape[:2]
        scale = min(1.0, _YUNET_MAX_SIDE / max(height, width))
        if scale < 1.0:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image = _image(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        network = self._network()
        network.setInputSize((image.shape[1], image.shape[0]))
        _, rows = network.detect(image)
        if rows is None:
            return ()
        rows[:, :14] /= scale
        return _widest_first(
            DetectedFace(
                box=np.concatenate([row[:2], row[:2] + row[2:4]]),
                landmarks=row[4:14].reshape(5, 2),
                confidence=float(row[14]),
            )
            for row in rows.astype(np.float32)
        )

    def _network(self) -> Any:
        import cv2

        if not hasattr(self._local, "network"):
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
            self._local.network = cv2.FaceDetectorYN.create(
                str(self._path), "", (320, 320), _YUNET_CONFIDENCE, _YUNET_NMS
            )
        return self._local.network


class ScrfdDetector:
    """SCRFD on ONNX Runtime, searched at 128 and 640 pixels for near and far faces."""

    def __init__(self, path: Path, providers: Sequence[str]) -> None:
        self._network = _open_model(path, "detection", _SCRFD_PREPROCESSING, providers)

    def detect(self, image: Image) -> tuple[DetectedFace, ...]:
        """Find faces."""
        boxes, landmarks = self._network.detect(image, det_thresh=_SCRFD_CONFIDENCE)
        return _widest_first(
            DetectedFace(box=box[:4], landmarks=points, confidence=float(box[4]))
            for box, points in zip(boxes, landmarks, strict=True)
        )


class OnnxEmbedder:
    """An ArcFace-style network on ONNX Runtime."""

    def __init__(self, path: Path, spec: EmbedderSpec, providers: Sequence[str]) -> None:
        preprocessing = {"mean": spec.mean, "std": spec.std}
        self._network = _open_model(path, "recognition", preprocessing, providers)
        self._reverse_channels = spec.channels == "BGR"
        self._max_batch = spec.max_batch

    def embed(self, faces: Sequence[AlignedFace]) -> FloatArray:
        """Embed faces, at most the model's own batch size at a time."""
        # InsightFace swaps BGR to RGB; a model trained on BGR gets its channels swapped twice.
        order = slice(None, None, -1) if self._reverse_channels else slice(None)
        images = [np.ascontiguousarray(face.pixels[..., order]) for face in faces]
        batches = [
            self._network.get_feat(images[start : start + self._max_batch])
            for start in range(0, len(images), self._max_batch)
        ]
        vectors = np.concatenate(batches)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float32, copy=False)


class PadModel:
    """A classifier of the square around a face: bona fide, or a picture of a face."""

    def __init__(self, model: bytes, manifest: PadManifest, providers: Sequence[str]) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(
            model, _session_options(), providers=list(providers)
        )
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


def _open_model(
    path: Path, task: str, preprocessing: dict[str, float], providers: Sequence[str]
) -> Any:
    from insightface.model_zoo import get_model

    return get_model(
        str(path),
        model_task=task,
        model_metadata={"preprocessing": preprocessing},
        providers=list(providers),
        sess_options=_session_options(),
    )


def _session_options() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ORT_LOG_ERRORS
    # Idle workers that spin take the cores from the detector, which runs in OpenCV.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _image(pixels: Any) -> Image:
    """Narrow OpenCV's type, which does not know that uint8 stays uint8."""
    return np.asarray(pixels, np.uint8)


def _widest_first(faces: Iterable[DetectedFace]) -> tuple[DetectedFace, ...]:
    return tuple(sorted(faces, key=lambda face: face.width, reverse=True))
