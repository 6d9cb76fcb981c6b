from collections.abc import Iterator
from pathlib import Path

import pytest

from distribution.chain import Chain
from distribution.deployment import Deployment, deploy
from distribution.local_node import LocalNode, start_local_node
from distribution.sender import Sender
from enrollment.engine import open_engine
from enrollment.faces import FaceDetector, FaceEmbedder
from enrollment.packs import ModelPack
from tests import models
from tests.integration.senders import TERMS, Anvil, open_sender
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


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    anvil = Anvil()
    yield anvil
    anvil.node.close()


@pytest.fixture
def sender(anvil: Anvil, tmp_path: Path) -> Iterator[Sender]:
    with open_sender(anvil.chain, anvil.deployment, tmp_path) as sender:
        yield sender


@pytest.fixture(scope="module")
def node() -> Iterator[LocalNode]:
    started = start_local_node()
    yield started
    started.close()


@pytest.fixture
def chain(node: LocalNode) -> Chain:
    return Chain.connect(node.url)


@pytest.fixture
def deployment(chain: Chain) -> Deployment:
    return deploy(chain, TERMS)
