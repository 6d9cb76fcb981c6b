from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from tests.postgres import empty_schema
from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

KEY = b"k" * 32


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: every test that asks for it runs on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/gallery.db"
        return
    with empty_schema(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/gallery.db")
    yield engine
    engine.dispose()


@pytest.fixture
def open_gallery(engine: Engine) -> Iterator[Callable[..., Gallery]]:
    """Open a gallery on `engine`; it is closed at the end if the test has not."""
    with ExitStack() as stack:

        def open_it(
            model: str = MODEL, key: bytes = KEY, thresholds=THRESHOLDS, **options
        ) -> Gallery:
            indexes = {model: FaissFlatIndex(DIMENSION)}
            gallery = Gallery.open(
                GalleryStore(engine, Keyring(key)), indexes, thresholds, **options
            )
            return stack.enter_context(gallery)

        yield open_it
