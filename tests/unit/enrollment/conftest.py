import pytest

from enrollment.packs import ModelPack
from tests import models


@pytest.fixture(scope="session")
def opencv_pack() -> ModelPack:
    return models.opencv_pack()
