"""What tests of several rooms share: a circuit, a prover and a PostgreSQL, made once."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from identity_proofs.artifacts import Artifacts, load_artifacts
from identity_proofs.prover import Prover
from personhood.settings import Settings
from tests.postgres import running_postgres

# No test depends on how fast the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """The official circuit of the pinned depth, as `make install` put it into the cache."""
    return load_artifacts(Settings().artifacts_dir())


@pytest.fixture(scope="session")
def prover(artifacts: Artifacts) -> Prover:
    return Prover(artifacts)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a real PostgreSQL; give each test a schema of its own in it."""
    with running_postgres() as url:
        yield url
