"""The shipped model against presentation attacks, converted, against TensorFlow.js itself."""

import numpy as np
import pytest

from enrollment.capture import decode
from enrollment.engine import open_pad_model
from enrollment.faces import DetectedFace, FaceDetector, FaceEmbedder, exactly_one
from enrollment.packs import PadPack
from enrollment.tfjs import convert
from tests import models, photographs
from uniqueness.onnx import onnxruntime

# What TensorFlow.js 4 (its CPU backend in Node) answers to `pattern()`.
EXPECTED = [[0.09232031553983688, 0.9076797366142273], [0.993723452091217, 0.006276567000895739]]


@pytest.fixture(scope="module")
def pack() -> PadPack:
    return models.pad_pack()


def pattern() -> np.ndarray:
    """Two 32x32 images that any language can make."""
    index = np.arange(2 * 32 * 32 * 3, dtype=np.int64)
    values = np.where(index < 32 * 32 * 3, index * 37 % 251 / 250, index * index % 241 / 240)
    return values.astype(np.float32).reshape(2, 32, 32, 3)


def test_the_converted_model_answers_as_tensorflow_js_does(pack: PadPack) -> None:
    session = onnxruntime.InferenceSession(convert(*pack.read()))
    [answer] = session.run(None, {session.get_inputs()[0].name: pattern()})
    assert answer == pytest.approx(np.array(EXPECTED), abs=2e-6)


def test_a_face_gets_a_score(pack: PadPack, face_engine: tuple[FaceDetector, FaceEmbedder]) -> None:
    image = decode(photographs.as_jpeg(photographs.astronaut()))
    face = exactly_one(face_engine[0].detect([image])[0])
    model = open_pad_model(pack)
    score = model.score(image, face)
    assert pack.manifest.threshold <= score <= 1
    assert model.score(image, face) == score


def test_a_face_at_the_border_gets_one_too(pack: PadPack) -> None:
    landmarks = np.zeros((5, 2), np.float32)
    face = DetectedFace(np.array([-20, -20, 15, 15], np.float32), landmarks, 1.0)
    score = open_pad_model(pack).score(np.full((40, 40, 3), 128, np.uint8), face)
    assert 0 <= score <= 1
