from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from enrollment.packs import ModelPack
from tests import models
from tests.desk import Desk, open_desk
from tests.postgres import empty_schema


@pytest.fixture(scope="session")
def opencv_pack() -> ModelPack:
    return models.opencv_pack()


@pytest.fixture(params=["sqlite", "postgresql"])
def desk_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database: every test that asks for it runs on both."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/personhood.db"
        else:
            url = stack.enter_context(empty_schema(request.getfixturevalue("postgres_url")))
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def desk(desk_engine: Engine) -> Iterator[Desk]:
    with open_desk(desk_engine) as desk:
        yield desk
