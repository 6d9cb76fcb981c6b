"""Every pack that comes with the project, and InsightFace's own, on real faces."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from insightface.model_zoo.arcface_onnx import ArcFaceONNX

from enrollment.adopt import adopt_directory
from enrollment.capture import decode
from enrollment.engine import align, open_engine
from enrollment.errors import ModelDigestMismatch, ModelPackInvalid
from enrollment.faces import FaceDetector, FaceEmbedder, exactly_one
from enrollment.packs import ModelPack, install_pack, known_packs, load_pack
from personhood.demo.people import read_default_people
from tests.models import CACHE
from uniqueness.decision import Decision, Thresholds

pytestmark = pytest.mark.slow


def embed(detector: FaceDetector, embedder: FaceEmbedder, photograph: bytes) -> np.ndarray:
    image = decode(photograph)
    face = align(image, exactly_one(detector.detect([image])[0]))
    return embedder.embed([face])[0]


def decide_all(pack: ModelPack) -> Iterator[tuple[bool, Decision]]:
    """Each first photograph against each second one: whether one person, and the decision."""
    detector, embedder = open_engine(pack)
    people = list(read_default_people())
    gallery = [embed(detector, embedder, person.photographs[0]) for person in people]
    probes = [embed(detector, embedder, person.photographs[1]) for person in people]
    for i, probe in enumerate(probes):
        for j, enrolled in enumerate(gallery):
            yield i == j, pack.manifest.thresholds.decide(float(probe @ enrolled))


@pytest.mark.parametrize("name", known_packs())
def test_a_pack_tells_seven_people_apart_and_knows_them_again(name: str) -> None:
    pack = install_pack(name, CACHE)
    decisions = list(decide_all(pack))
    assert len(decisions) == 49
    for same_person, decision in decisions:
        assert decision is (Decision.DUPLICATE if same_person else Decision.UNIQUE)


@pytest.mark.parametrize("name", known_packs())
def test_a_rewritten_network_gives_the_templates_of_its_file(name: str) -> None:
    pack = install_pack(name, CACHE)
    detector, embedder = open_engine(pack)
    images = [decode(person.photographs[0]) for person in read_default_people()]
    faces = [align(image, exactly_one(detector.detect([image])[0])) for image in images]
    as_it_is = ArcFaceONNX(str(pack.embedder_path))
    as_it_is.input_mean, as_it_is.input_std = (
        pack.manifest.embedder.mean,
        pack.manifest.embedder.std,
    )
    expected = np.concatenate([as_it_is.get_feat(face.pixels) for face in faces])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder.embed(faces), expected, atol=1e-5)


@pytest.fixture
def insightface_directory(tmp_path: Path) -> Path:
    """A directory as InsightFace unpacks its own packs: ONNX files and nothing else."""
    pack = install_pack("buffalo_s", CACHE)
    directory = tmp_path / "buffalo.s"
    directory.mkdir()
    shutil.copy(pack.detector_path, directory / "det_500m.onnx")
    shutil.copy(pack.embedder_path, directory / "w600k_mbf.onnx")
    return directory


def adopt(directory: Path) -> None:
    thresholds = Thresholds(0.36, 0.4)
    adopt_directory(
        directory, thresholds, thresholds_source="a test", license_of_weights="research"
    )


def test_a_directory_of_insightface_is_adopted_and_pinned(insightface_directory: Path) -> None:
    adopt(insightface_directory)
    pack = load_pack(str(insightface_directory), CACHE)
    assert (pack.manifest.name, pack.manifest.embedding_size) == ("buffalo-s", 512)
    assert all(
        (decision is not Decision.UNIQUE) == same_person
        for same_person, decision in decide_all(pack)
    )
    with pytest.raises(ModelPackInvalid, match="exists already"):
        adopt(insightface_directory)

    (insightface_directory / "w600k_mbf.onnx").write_bytes(b"changed")
    with pytest.raises(ModelDigestMismatch):
        load_pack(str(insightface_directory), CACHE)


def test_a_version_2_manifest_of_insightface_is_followed(insightface_directory: Path) -> None:
    (insightface_directory / "MODEL.LICENSE").write_text("research")
    manifest = {
        "manifest_version": 2,
        "model_id": "own_pack",
        "license": "MODEL.LICENSE",
        "tasks": {
            "detection": {"file": "det_500m.onnx"},
            "recognition": {"file": "w600k_mbf.onnx", "sha256": "00" * 32},
        },
    }
    path = insightface_directory / "manifest.json"
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelPackInvalid):
        adopt(insightface_directory)
    del manifest["tasks"]["recognition"]["sha256"]  # type: ignore[index]
    path.write_text(json.dumps(manifest))
    adopt(insightface_directory)
    assert load_pack(str(insightface_directory), CACHE).manifest.embedder.mean == 127.5


def test_a_directory_without_models_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelPackInvalid, match="SCRFD"):
        adopt(tmp_path)
    assert list(tmp_path.iterdir()) == []
