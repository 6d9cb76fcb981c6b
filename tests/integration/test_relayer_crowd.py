"""A relayer and a hundred members: an opening rush, a node that dies, coins that are refused."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from contracts import compile as compiler
from contracts.artifacts import ContractArtifact
from distribution.claims import Claim
from distribution.errors import ChainUnreachable
from distribution.publisher import BatchPolicy
from distribution.sent import SentState
from personhood.relayer_app import open_relayer
from personhood.settings import Settings
from tests.contracts.claims import CROWD_FEE, RELAYER, RELAYER_KEY
from tests.integration.crowd import PAID, CrowdNode
from tests.integration.relaying import Running, body, running
from tests.service import served

pytestmark = pytest.mark.slow
TOKENS = Path(__file__).parents[1] / "contracts" / "src"
REFUSES = "0x60006000fd"  # code that reverts, whatever comes
DEADLINE = 60.0  # seconds


@contextmanager
def crowd_node(state: Path | None = None, *, native: bool = False) -> Iterator[CrowdNode]:
    node = CrowdNode(state, native=native)
    try:
        yield node
    finally:
        node.node.close()


@contextmanager
def relaying(node: CrowdNode, folder: Path) -> Iterator[Running]:
    """A relayer whose steps the test takes, with batches of eight."""
    policy = BatchPolicy(8, 0)
    with running(node.chain, node.deployment, folder, batches=policy, key=RELAYER_KEY) as one:
        yield one


def post_all(relayer: Running, claims: list[Claim]) -> list[str]:
    answers = [relayer.post(claim) for claim in claims]
    assert {answer.status_code for answer in answers} == {202}
    return [answer.headers["Location"] for answer in answers]


def finish(node: CrowdNode, relayer: Running) -> None:
    for _ in range(3):
        relayer.relayer.step()
        node.mine(3)
    relayer.relayer.step()


def codes(relayer: Running, at: list[str]) -> list[str | None]:
    return [relayer.client.get(one).json()["code"] for one in at]


def test_an_opening_rush_is_queued_and_all_are_paid_once(tmp_path: Path) -> None:
    """The service as it runs, with its thread; everybody posts twice, and some post lies."""
    key = tmp_path / "relayer.key"
    key.touch(mode=0o600)
    key.write_bytes(bytes.fromhex(RELAYER_KEY[2:]))
    with crowd_node() as node:
        settings = Settings(home=tmp_path, rpc_url=node.url, relayer_age=1, relayer_requests=10_000)
        lies = [replace(one, recipient=node.claims[0].recipient) for one in node.claims[1:9]]
        posts = [body(claim) for claim in (*node.claims, *lies, *node.claims)]
        with (
            open_relayer(settings, node.chain, node.deployment) as service,
            served(service) as url,
            httpx.Client(base_url=url, timeout=60) as client,
            ThreadPoolExecutor(16) as pool,
        ):
            told = list(pool.map(lambda one: client.post("/v1/claims", json=one), posts))
            count = len(node.claims)
            assert {one.status_code for one in told[:count]} == {202}
            assert {one.status_code for one in told[count:-count]} <= {409, 422}
            assert [one.json()["id"] for one in told[:count]] == [
                one.json()["id"] for one in told[-count:]
            ]
            waiting = [one.headers["Location"] for one in told[:count]]
            deadline = time.monotonic() + DEADLINE
            while waiting and time.monotonic() < deadline:
                states = [client.get(one).json()["state"] for one in waiting]
                assert "failed" not in states
                waiting = [
                    one for one, state in zip(waiting, states, strict=True) if state != "finalised"
                ]
                time.sleep(0.5)
        assert waiting == []
        assert sorted(node.paid()) == sorted(claim.recipient for claim in node.claims)
        assert node.balance(RELAYER) == count * CROWD_FEE


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["told to", "killed"])
def test_the_node_ends_and_starts_again(tmp_path: Path, how: signal.Signals) -> None:
    """Killed, it has lost its newest blocks; claims go on, and everybody is paid once."""
    with crowd_node(tmp_path / "state.json") as node, relaying(node, tmp_path) as relayer:
        node.end(signal.SIGTERM)  # so that what was deployed is written
        node.start_again()
        at = post_all(relayer, node.claims[:8])
        assert relayer.relayer.step() == 8
        at += post_all(relayer, node.claims[8:12])  # one batch is sent, these wait
        node.end(how)
        with pytest.raises(ChainUnreachable):
            relayer.relayer.step()
        away = relayer.post(node.claims[12])
        assert (away.status_code, away.json()["code"]) == (503, "chain_unreachable")
        node.start_again()
        at += post_all(relayer, node.claims[12:14])
        finish(node, relayer)
        assert relayer.states(*at) == ["finalised"] * 14
        assert sorted(node.paid()) == sorted(claim.recipient for claim in node.claims[:14])
        sent = relayer.sender.journal.transactions(list(SentState))
        assert [one.nonce for one in sent] == list(range(len(sent)))


def test_a_recipient_that_refuses_costs_the_others_nothing(tmp_path: Path) -> None:
    with crowd_node(native=True) as node, relaying(node, tmp_path) as relayer:
        refusing = node.claims[2]
        node.ask("anvil_setCode", refusing.recipient, REFUSES)
        at = post_all(relayer, node.claims[:4])
        finish(node, relayer)
        assert relayer.states(*at) == ["finalised", "finalised", "failed", "finalised"]
        assert codes(relayer, at) == [None, None, "transfer_failed", None]
        # Again: now it goes alone, and is told before gas is paid for it.
        gas = node.chain.balance(RELAYER)
        assert post_all(relayer, [refusing]) == [at[2]]
        finish(node, relayer)
        assert (codes(relayer, at)[2], node.chain.balance(RELAYER)) == ("transfer_failed", gas)
        # The right to claim stays.
        node.ask("anvil_setCode", refusing.recipient, "0x")
        post_all(relayer, [refusing])
        finish(node, relayer)
        assert relayer.states(*at) == ["finalised"] * 4
        assert [node.balance(claim.recipient) for claim in node.claims[:4]] == [PAID] * 4


def test_a_token_that_answers_false_pays_nobody_and_takes_no_right(tmp_path: Path) -> None:
    with crowd_node() as node, relaying(node, tmp_path) as relayer:
        token, pool = node.deployment.token, node.deployment.distributor
        genuine = node.ask("eth_getCode", token, "latest")
        refusing = ContractArtifact(**compiler.compile_contract(TOKENS / "RefusingToken.vy"))
        elsewhere = node.chain.deploy(refusing)
        at = post_all(relayer, node.claims[:3])
        node.ask("anvil_setCode", token, node.ask("eth_getCode", elsewhere, "latest"))
        node.chain.transact(refusing, token, "mint", pool, 10 * PAID)
        finish(node, relayer)
        assert codes(relayer, at) == ["transfer_failed"] * 3
        node.ask("anvil_setCode", token, genuine)
        assert post_all(relayer, node.claims[:3]) == at
        finish(node, relayer)
        assert relayer.states(*at) == ["finalised"] * 3
        assert [node.balance(claim.recipient) for claim in node.claims[:3]] == [PAID] * 3
