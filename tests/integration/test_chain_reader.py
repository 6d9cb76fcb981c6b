"""The console's view of a real chain, read by a process of its own."""

import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert

from distribution import claims, registry
from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.database import Database
from distribution.deployment import Deployment, Terms, deploy
from distribution.local_node import start_local_node
from distribution.registry import local_attesters, read_group
from distribution.relay_claims import ClaimRow, ClaimState
from distribution.relay_store import RelayStore
from personhood.chain_reader import ChainReader
from personhood.settings import Settings
from personhood.side_process import SideProcess
from tests.service import commitments

KEYS = ["0x" + f"{i:02x}" * 32 for i in (1, 2, 3)]


def test_without_a_deployment_there_is_no_chain(tmp_path: Path) -> None:
    with SideProcess() as side:
        assert ChainReader(Settings(home=tmp_path), side).read() is None


def _queue_a_claim(settings: Settings, deployment: Deployment) -> None:
    """As a relayer that took one claim a while ago and then stopped."""
    engine = create_engine(settings.relayer_database())
    RelayStore(Database(engine), deployment.fingerprint)
    claim = {
        "id": "0" * 32,
        "sequence": 1,
        "deployment": deployment.fingerprint,
        "nullifier": "1" * 64,
        "epoch": 0,
        "recipient": "0x" + "b1" * 20,
        "fee": "0",
        "points": bytes(256),
        "state": ClaimState.QUEUED.value,
        "block": 0,
        "suspect": False,
        "alone": False,
        "received_at": int(time.time()) - 90,
    }
    with engine.begin() as connection:
        connection.execute(insert(ClaimRow), claim)
    engine.dispose()


@pytest.mark.slow
def test_a_chain_is_read_and_its_silence_is_told(tmp_path: Path) -> None:
    terms = Terms(tuple(map(address_of, KEYS)), quorum=2, amount=5 * 10**17, late_epochs=1)
    node = start_local_node()
    try:
        settings = Settings(home=tmp_path, rpc_url=node.url)
        chain = Chain.connect(node.url)
        deployment = deploy(chain, terms)
        deployment.write(settings.deployment_file())
        attesters = local_attesters(chain, deployment, KEYS)
        registry.publish(chain, deployment, commitments(1, 2, 3), attesters)
        claims.open_epoch(chain, deployment)
        _queue_a_claim(settings, deployment)
        root = f"0x{read_group(chain, deployment).root:064x}"
        with SideProcess() as side:
            status = ChainReader(settings, side, patience=100).read()
            assert status is not None
            assert status.problem is None
            assert (status.members, status.removed) == (3, 0)
            assert (status.quorum, status.attesters) == (2, 3)
            assert status.root == root
            assert not status.paused
            assert status.pool == "1\N{NARROW NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}000"
            assert status.amount == "0.5"
            (epoch,) = status.epochs
            assert (epoch.epoch, epoch.root, epoch.claims, epoch.paid) == (0, root, 0, "0")
            publisher, relayer = status.queues
            assert (publisher.waiting, publisher.under_way, publisher.eta) == (0, 0, 0)
            assert (relayer.waiting, relayer.under_way, relayer.eta) == (1, 0, None)
            assert relayer.oldest >= 90
    finally:
        node.close()
    with SideProcess() as side:
        status = ChainReader(settings, side, patience=100).read()
        assert status is not None
        assert status.problem is not None
        assert "no chain answers" in status.problem
