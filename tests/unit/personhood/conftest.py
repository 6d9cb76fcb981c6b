"""Empty databases for tests of the schema."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from tests.postgres import empty_schema
from uniqueness.database import prepare


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/personhood.db"
        else:
            url = stack.enter_context(empty_schema(request.getfixturevalue("postgres_url")))
        engine = prepare(create_engine(url))
        yield engine
        engine.dispose()
