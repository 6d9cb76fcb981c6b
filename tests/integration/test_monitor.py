"""The monitor and the report's chain section against a real node."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from distribution import claims
from distribution.activity import EpochActivity, activity_of
from distribution.attestation import address_of, load_or_create_keys
from distribution.chain import Chain
from distribution.deployment import Deployment, Terms, deploy
from distribution.embedded_node import EmbeddedNode
from distribution.record import read_record
from distribution.registry import local_attesters, publish
from personhood.settings import Settings
from personhood.telemetry.chain import create_monitor
from tests.service import commitments, served

pytestmark = pytest.mark.slow

TOKEN = "a token of sixteen characters"


@pytest.fixture(scope="module")
def node() -> Iterator[EmbeddedNode]:
    started = EmbeddedNode.start()
    yield started
    started.close()


@pytest.fixture
def settings(node: EmbeddedNode, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, rpc_url=node.url, metrics_token=TOKEN)


def deployed(settings: Settings, chain: Chain) -> Deployment:
    keys = load_or_create_keys(settings.attester_keys_dir(), 3)
    terms = Terms(attesters=tuple(map(address_of, keys)), quorum=2, amount=5, pool=23)
    deployment = deploy(chain, terms)
    deployment.write(settings.deployment_file())
    publish(chain, deployment, commitments(1, 2, 3), local_attesters(chain, deployment, keys))
    return deployment


def test_what_the_chain_says_is_told(settings: Settings, node: EmbeddedNode) -> None:
    chain = Chain.connect(node.url)
    deployment = deployed(settings, chain)
    with served(create_monitor(settings, TOKEN)) as url:
        assert httpx.get(f"{url}/health").json() == {"status": "ok", "epoch": "closed"}
        told = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    for line in (
        "personhood_chain_up 1.0",
        "personhood_root_members 3.0",
        "personhood_attesters 3.0",
        "personhood_attesters_at_hand 3.0",
        "personhood_attestation_quorum 2.0",
        "personhood_epoch_open 0.0",
        "personhood_pool_claims 4.0",
    ):
        assert line in told
    opened = claims.open_epoch(chain, deployment)
    activity = activity_of(read_record(chain, deployment))
    assert activity.members == 3
    assert activity.epochs == (EpochActivity(opened.epoch, members=3, amount=5, claims=0, paid=0),)
    assert activity.epochs[0].budget == 15
    with served(create_monitor(settings, TOKEN)) as url:
        assert httpx.get(f"{url}/health").json()["epoch"] == "open"
