from importlib import resources

import pytest

from identity_proofs.artifacts import load_artifacts
from identity_proofs.prover import Prover
from personhood.settings import Settings
from tests.contracts.chain import CHAIN_ID
from tests.contracts.claims import Claims, enroll_members
from tests.contracts.world import AMOUNT, World, build_world


@pytest.fixture(scope="session")
def official_key() -> bytes:
    return (resources.files("identity_proofs") / "verification_key_27.json").read_bytes()


@pytest.fixture(scope="session")
def prover() -> Prover:
    return Prover(load_artifacts(Settings().artifacts_dir()))


@pytest.fixture(scope="session")
def claims(prover: Prover) -> Claims:
    """Proofs for the distributor of every world: its address is always the same."""
    return Claims(prover, CHAIN_ID, build_world().distributor.address)


@pytest.fixture
def world() -> World:
    """Epoch 0, three members, a pool for ten claims."""
    world = build_world()
    enroll_members(world)
    world.fund(10 * AMOUNT)
    return world
