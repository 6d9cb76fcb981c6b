from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

KEY = b"k" * 32


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path}/gallery.db")
    yield engine
    engine.dispose()


@pytest.fixture
def open_gallery(engine: Engine) -> Iterator[Callable[..., Gallery]]:
    """Open the gallery of `engine`; it is closed at the end if the test has not."""
    with ExitStack() as stack:

        def open_it(model: str = MODEL, key: bytes = KEY, max_batch: int = 64) -> Gallery:
            gallery = Gallery.open(
                GalleryStore(engine, Keyring(key)),
                FaissFlatIndex(DIMENSION),
                THRESHOLDS,
                model,
                max_batch=max_batch,
            )
            return stack.enter_context(gallery)

        yield open_it
