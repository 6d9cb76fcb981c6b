"""What tests of several rooms share: the circuit and a prover, loaded once."""

import pytest

from identity_proofs.artifacts import Artifacts, load_artifacts
from identity_proofs.prover import Prover
from personhood.settings import Settings
from tests.postgres import postgres_server, postgres_url  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    """The official circuit of the pinned depth, as `make install` put it into the cache."""
    return load_artifacts(Settings().artifacts_dir())


@pytest.fixture(scope="session")
def prover(artifacts: Artifacts) -> Prover:
    return Prover(artifacts)
