"""The console's view of a real chain, read by a process of its own."""

from pathlib import Path

import pytest

from distribution import claims, registry
from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.deployment import Terms, deploy
from distribution.local_node import start_local_node
from distribution.registry import local_attesters, read_group
from personhood.chain_reader import ChainReader
from personhood.settings import Settings
from tests.service import commitments

KEYS = ["0x" + f"{i:02x}" * 32 for i in (1, 2, 3)]


def test_without_a_deployment_there_is_no_chain(tmp_path: Path) -> None:
    with ChainReader(Settings(home=tmp_path)) as reader:
        assert reader.read() is None


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
        root = f"0x{read_group(chain, deployment).root:064x}"
        with ChainReader(settings, patience=100) as reader:
            status = reader.read()
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
            (queue,) = status.queues
            assert (queue.name, queue.waiting, queue.under_way, queue.eta) == ("publisher", 0, 0, 0)
    finally:
        node.close()
    with ChainReader(settings, patience=100) as reader:
        status = reader.read()
        assert status is not None
        assert status.problem is not None
        assert "no chain answers" in status.problem
