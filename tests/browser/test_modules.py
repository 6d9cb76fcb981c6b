"""The page's pure modules: their own tests, and the same answers as the service's."""

import base64
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from sqlalchemy import create_engine

from enrollment.engine import align, open_engine
from enrollment.errors import ClockSkewed
from enrollment.faces import DetectedFace, FaceDetector
from enrollment.kiosks import KioskRegistry
from enrollment.pose import head_pose
from enrollment.quality import assess
from enrollment.signatures import SignatureVerifier, SignedMessage, require_digest
from tests.browser.node import MODULES, call, run
from tests.models import opencv_pack
from tests.photographs import astronaut, six_people
from uniqueness.onnx import onnxruntime

SIDE = 640


@pytest.mark.parametrize("file", sorted(MODULES.glob("*.test.mjs")), ids=lambda path: path.name)
def test_of_a_module(file: Path) -> None:
    done = subprocess.run(["node", "--test", str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("idempotency_key", [None, "4b3b0f1e-1d6a-4b59-8f0e-2f5d4f6a7c11"])
def test_the_page_signs_what_the_service_verifies(
    tmp_path: Path, idempotency_key: str | None
) -> None:
    kiosks = KioskRegistry(create_engine(f"sqlite:///{tmp_path}/kiosks.db"))
    key = Ed25519PrivateKey.generate()
    kiosk = kiosks.register(kiosks.invite("Hall"), key.public_key().public_bytes_raw())
    body = '{"greeting": "Jambo, ça va?"}'
    headers = _signed_by_the_page(kiosk.id, key, body, idempotency_key)
    assert headers.get("idempotency-key") == idempotency_key
    message = SignedMessage("POST", "https://anywhere.example/v1/sessions", headers)
    assert SignatureVerifier(kiosks).verify(message) == kiosk
    require_digest(headers["content-digest"], body.encode())


def test_a_page_whose_clock_is_wrong_is_told_so(tmp_path: Path) -> None:
    kiosks = KioskRegistry(create_engine(f"sqlite:///{tmp_path}/kiosks.db"))
    key = Ed25519PrivateKey.generate()
    kiosk = kiosks.register(kiosks.invite("Hall"), key.public_key().public_bytes_raw())
    headers = _signed_by_the_page(kiosk.id, key, "{}", None, now=4_000_000_000_000)
    with pytest.raises(ClockSkewed, match="ahead"):
        SignatureVerifier(kiosks).verify(SignedMessage("POST", "http://h/v1/sessions", headers))


def _signed_by_the_page(
    kiosk_id: str, key: Ed25519PrivateKey, body: str, idempotency_key: str | None, now: int = 0
) -> dict[str, str]:
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    request = {"method": "POST", "path": "/v1/sessions", "idempotencyKey": idempotency_key}
    headers: dict[str, str] = run(
        "sign.mjs",
        {
            "request": request,
            "body": body,
            "id": kiosk_id,
            "key": base64.b64encode(der).decode(),
            "now": now,
        },
    )
    return headers


def test_the_page_judges_poses_as_the_service_does() -> None:
    generator = np.random.default_rng(5)
    upright = np.array([[30, 40], [70, 40], [50, 62], [35, 80], [65, 80]], np.float32)
    for _ in range(5):
        landmarks = upright + generator.normal(0, 6, upright.shape).astype(np.float32)
        ours = head_pose(DetectedFace(np.array([0, 0, 100, 100], np.float32), landmarks, 0.9))
        theirs = call("vision/pose.js", "headPose", landmarks.tolist())
        assert theirs == pytest.approx(
            {"yaw": ours.yaw, "pitch": ours.pitch, "roll": ours.roll}, abs=1e-3
        )


def test_the_page_measures_light_and_sharpness_as_the_service_does() -> None:
    image = np.asarray(astronaut())[:, :, ::-1].copy()
    face = _detector().detect([image])[0][0]
    aligned = align(image, face)
    report = assess(face, aligned)
    rgba = np.dstack([aligned.pixels[:, :, ::-1], np.full((112, 112, 1), 255, np.uint8)])
    measures = call("vision/measures.js", "measure", np.ascontiguousarray(rgba))
    expected = {
        "brightness": report.brightness,
        "underexposed": report.underexposed,
        "overexposed": report.overexposed,
        "dynamicRange": report.dynamic_range,
        "sharpness": report.sharpness,
    }
    assert {name: measures[name] for name in expected} == pytest.approx(expected, rel=1e-3)


def test_the_page_aligns_a_face_as_the_service_does() -> None:
    from insightface.utils.face_align import arcface_dst

    image = np.asarray(astronaut())[:, :, ::-1].copy()
    landmarks = _detector().detect([image])[0][0].landmarks
    a, b, c, d, e, f = call("vision/measures.js", "alignment", landmarks.tolist())
    moved = landmarks @ np.array([[a, b], [c, d]]) + np.array([e, f])
    assert (a, b) == (d, -c)
    residual = np.linalg.norm(moved - arcface_dst, axis=1)
    assert residual.max() < 6  # pixels of 112: no two faces have quite the same proportions


def test_the_page_finds_the_faces_that_the_service_finds() -> None:
    photograph = Image.new("RGB", (SIDE, SIDE))
    photograph.paste(six_people().resize((SIDE, 444)))
    image = np.asarray(photograph)[:, :, ::-1].copy()
    ours = _detector().detect([image])[0]
    session = onnxruntime.InferenceSession(str(opencv_pack().detector_path))
    names = [output.name for output in session.get_outputs()]
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)
    outputs = session.run(names, {"input": planes})
    theirs = call("vision/yunet.js", "decode", dict(zip(names, outputs, strict=True)), 1)
    assert len(theirs) == len(ours) == 6
    for our, their in zip(ours, theirs, strict=True):
        assert their["box"] == pytest.approx(our.box.tolist(), abs=2.5)  # rounding in OpenCV
        assert np.abs(np.array(their["landmarks"]) - our.landmarks).max() < 2.5


def _detector() -> FaceDetector:
    return open_engine(opencv_pack())[0]
