"""Batches that are sent without being tried: what they save, and what they may not cost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from distribution import relay_batches
from distribution.attestation import pause, sign_sorted
from distribution.chain import Chain
from distribution.deployment import DISTRIBUTOR
from distribution.endpoint import open_account
from distribution.hashing import words
from distribution.publisher import BatchPolicy
from distribution.relay_claims import ClaimRow
from distribution.relay_worker import RelayWorker
from distribution.sent import Sent, SentState
from tests.contracts.claims import RELAYER_KEY
from tests.integration.crowd import ATTESTER, CrowdNode
from tests.integration.relaying import Running, running
from tests.integration.senders import open_database

pytestmark = pytest.mark.slow
BATCH = 8


@pytest.fixture(scope="module")
def built() -> Iterator[CrowdNode]:
    node = CrowdNode()
    yield node
    node.node.close()


@pytest.fixture
def node(built: CrowdNode) -> Iterator[CrowdNode]:
    snapshot = built.ask("evm_snapshot")
    yield built
    built.forget_mempool()  # first, or it would be included while the rest is undone
    built.ask("evm_setAutomine", True)
    built.ask("evm_revert", snapshot)


@pytest.fixture
def relaying(node: CrowdNode, tmp_path: Path) -> Iterator[Running]:
    policy = BatchPolicy(BATCH, 0)
    with running(
        node.chain, node.deployment, tmp_path, batches=policy, key=RELAYER_KEY
    ) as relaying:
        yield relaying


def post(node: CrowdNode, relaying: Running, batches: int) -> list[str]:
    answers = [relaying.post(claim) for claim in node.claims[: batches * BATCH]]
    assert {answer.status_code for answer in answers} == {202}
    return [answer.headers["Location"] for answer in answers]


def finish(node: CrowdNode, relaying: Running, looks: int = 6) -> None:
    for _ in range(looks):
        relaying.relayer.step()
        node.mine(3)
    relaying.relayer.step()


def sent(relaying: Running) -> list[Sent]:
    return relaying.sender.journal.transactions(list(SentState))


def recipients(node: CrowdNode, batches: int) -> list[str]:
    return sorted(claim.recipient for claim in node.claims[: batches * BATCH])


def give_two_and_lose_them(node: CrowdNode, relaying: Running) -> None:
    """One batch is paid, two that were not tried are signed; the next look sends them again."""
    node.mine_on_demand()
    assert relaying.relayer.step() == BATCH
    node.mine()
    assert relaying.relayer.step() == 2 * BATCH
    node.forget_mempool()
    node.ask("evm_setAutomine", True)


def set_paused(node: CrowdNode, action: int, *, paused: bool) -> None:
    deployment = node.deployment
    address = deployment.distributor
    message = pause(deployment.chain_id, address, 1, action, paused=paused)
    signatures = sign_sorted(message, [open_account(ATTESTER)])
    node.chain.transact(DISTRIBUTOR, address, "setPaused", paused, signatures)


def test_one_batch_vouches_for_the_next(
    node: CrowdNode, relaying: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    simulate = Chain.simulate

    def counted(chain: Chain, *arguments: object) -> None:
        tried.append(1)
        simulate(chain, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Chain, "simulate", counted)
    at = post(node, relaying, 5)
    node.mine_on_demand()
    steps = []
    for _ in range(4):
        steps.append(relaying.relayer.step())
        node.mine()
    assert (steps, len(tried)) == ([BATCH, 2 * BATCH, 2 * BATCH, 0], 1)
    finish(node, relaying, 1)
    assert relaying.states(*at) == ["finalised"] * 5 * BATCH
    assert sorted(node.paid()) == recipients(node, 5)


def test_no_more_go_untried_than_a_block_holds(node: CrowdNode, relaying: Running) -> None:
    """anvil would leave the others until somebody sends something."""
    post(node, relaying, 6)
    node.mine_on_demand()
    relaying.relayer.step()
    node.mine()
    assert [relaying.relayer.step() for _ in range(3)] == [2 * BATCH, BATCH, 0]
    assert relaying.relayer.is_pressed
    node.mine()
    assert relaying.relayer.step() == 2 * BATCH
    assert not relaying.relayer.is_pressed


def test_a_pause_before_they_are_included(node: CrowdNode, relaying: Running) -> None:
    at = post(node, relaying, 3)
    give_two_and_lose_them(node, relaying)
    set_paused(node, 0, paused=True)
    finish(node, relaying)
    assert [one.succeeded for one in sent(relaying)] == [True, False, False]
    assert relaying.states(*at) == ["finalised"] * BATCH + ["queued"] * 2 * BATCH
    set_paused(node, 1, paused=False)
    finish(node, relaying)
    assert relaying.states(*at) == ["finalised"] * 3 * BATCH
    assert sorted(node.paid()) == recipients(node, 3)
    assert len(sent(relaying)) == 5  # again together, and not one by one


def test_the_window_closes_before_they_are_included(node: CrowdNode, relaying: Running) -> None:
    at = post(node, relaying, 3)
    give_two_and_lose_them(node, relaying)
    node.ask("evm_increaseTime", 60 * 24 * 3600)
    node.mine()
    finish(node, relaying)
    assert relaying.states(*at) == ["finalised"] * BATCH + ["failed"] * 2 * BATCH
    codes = {relaying.client.get(one).json()["code"] for one in at[BATCH:]}
    assert codes == {"epoch_not_claimable"}
    assert sorted(node.paid()) == recipients(node, 1)


def test_a_batch_that_reverts_costs_the_others_nothing(
    node: CrowdNode, relaying: Running, tmp_path: Path
) -> None:
    at = post(node, relaying, 4)
    node.mine_on_demand()
    database = open_database(tmp_path)
    with database.write() as connection:  # as if its epoch had another root since
        points = words(1, 2, *node.claims[0].proof.points[2:])
        spoiled = update(ClaimRow).where(ClaimRow.sequence == BATCH + 3)
        connection.execute(spoiled.values(points=points))
    database.engine.dispose()
    finish(node, relaying, 9)
    states = ["finalised"] * 4 * BATCH
    states[BATCH + 2] = "failed"
    assert relaying.states(*at) == states
    assert relaying.client.get(at[BATCH + 2]).json()["code"] == "proof_refused"
    unpaid = node.claims[BATCH + 2].recipient
    assert sorted(node.paid()) == [one for one in recipients(node, 4) if one != unpaid]
    outcomes = [one.succeeded for one in sent(relaying)]
    assert outcomes == [True, False, True, True, True]  # of the one that reverted, seven together


def test_one_that_reverts_for_no_known_reason_goes_claim_by_claim(
    node: CrowdNode, relaying: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = post(node, relaying, 2)
    node.mine_on_demand()
    relaying.relayer.step()
    node.mine()
    with monkeypatch.context() as changed:
        changed.setattr(relay_batches, "CLAIM_GAS", 65_000)  # too little for the payments
        relaying.relayer.step()
    finish(node, relaying)
    assert relaying.states(*at) == ["finalised"] * 2 * BATCH
    assert sorted(node.paid()) == recipients(node, 2)
    assert [one.succeeded for one in sent(relaying)] == [True, False, *[True] * BATCH]


def test_the_worker_pays_a_backlog(node: CrowdNode, relaying: Running) -> None:
    at = post(node, relaying, 12)
    with RelayWorker(relaying.relayer, every=0.1):
        for _ in range(300):
            if len(node.paid()) == 12 * BATCH:
                break
            node.ask("evm_mine")
    finish(node, relaying, 2)
    assert relaying.states(*at) == ["finalised"] * 12 * BATCH
    assert sorted(node.paid()) == recipients(node, 12)
