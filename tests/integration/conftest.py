from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollment.engine import open_engine
from enrollment.faces import FaceDetector, FaceEmbedder
from enrollment.packs import ModelPack
from tests import models
from tests.service import Kiosk, running_kiosk


@pytest.fixture(scope="session")
def opencv_pack() -> ModelPack:
    return models.opencv_pack()


@pytest.fixture(scope="session")
def face_engine(opencv_pack: ModelPack) -> tuple[FaceDetector, FaceEmbedder]:
    return open_engine(opencv_pack)


@pytest.fixture
def kiosk(
    tmp_path: Path, opencv_pack: ModelPack, face_engine: tuple[FaceDetector, FaceEmbedder]
) -> Iterator[Kiosk]:
    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine) as kiosk:
        yield kiosk
