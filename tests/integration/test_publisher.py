"""The publisher: batches, removals, reorgs, and kill -9 at each of its steps."""

import signal
from pathlib import Path

import pytest

from distribution.deployment import REGISTRY
from distribution.errors import ChainUnreachable, PublishConflict, QuorumMissing
from distribution.journal import now
from distribution.publisher import BatchPolicy, Change, Publisher, read_status
from distribution.registry import local_attesters, read_group
from distribution.sender import Sender
from distribution.sent import SentState
from identity_proofs.group import Group
from tests.integration import crashing_publisher
from tests.integration.crashing_publisher import COMMITMENTS, POINTS
from tests.integration.senders import (
    ATTESTERS,
    POLICY,
    Anvil,
    Members,
    killed,
    make_publisher,
    open_sender,
)

pytestmark = pytest.mark.slow


def publisher(
    anvil: Anvil, sender: Sender, source: Members, batches: BatchPolicy | None = None
) -> Publisher:
    return make_publisher(anvil.chain, anvil.deployment, sender, source, batches)


def publish_all(posting: Publisher) -> int:
    steps = 0
    while posting.step(flush=True) is not None:
        steps += 1
    return steps


def members(anvil: Anvil) -> tuple[int, ...]:
    return read_group(anvil.chain, anvil.deployment).members


def updates(anvil: Anvil) -> int:
    return len(anvil.chain.events(REGISTRY, anvil.deployment.registry, "RootUpdated", 0))


@pytest.mark.parametrize("point", POINTS)
def test_after_a_power_cut_everything_is_posted_once(
    anvil: Anvil, tmp_path: Path, point: str
) -> None:
    deployment = tmp_path / "deployment.json"
    anvil.deployment.write(deployment)
    assert killed(crashing_publisher.main, anvil.url, str(deployment), str(tmp_path), point)
    with open_sender(anvil.chain, anvil.deployment, tmp_path) as sender:
        posting = publisher(anvil, sender, Members(COMMITMENTS))
        while updates(anvil) < 3:
            posting.step()
        anvil.mine(3)
        assert posting.step() is None
        sent = sender.journal.transactions(list(SentState))
        assert [one.state for one in sent] == [SentState.FINAL] * 3
        assert [one.nonce for one in sent] == [0, 1, 2]
        assert all(one.succeeded for one in sent)
    assert members(anvil) == tuple(COMMITMENTS)
    assert updates(anvil) == 3


def test_batches_by_size_or_age(anvil: Anvil, sender: Sender) -> None:
    source = Members([], at=0)
    posting = publisher(anvil, sender, source, BatchPolicy(size=4, age=600))
    assert posting.step() is None
    source.changes = [Change(commitment, now()) for commitment in (1, 2, 3)]
    assert posting.step() is None  # too few, too young
    source.changes.append(Change(4, now()))
    assert posting.step() is not None
    source.changes.append(Change(5, now()))
    assert posting.step() is None
    source.changes.append(Change(6, now() - 601))
    assert posting.step() is not None
    posting.step()
    assert members(anvil) == (1, 2, 3, 4, 5, 6)


def test_a_removal_frees_its_leaf(anvil: Anvil, sender: Sender) -> None:
    source = Members([1, 2, 3])
    posting = publisher(anvil, sender, source)
    publish_all(posting)
    source.gone = [Change(2, now()), Change(9, now())]
    source.changes += [Change(9, now()), Change(10, now())]  # 9 is gone before it was published
    assert publish_all(posting) == 2
    assert members(anvil) == (1, 0, 3, 0, 10)
    expected = Group([1, 2, 3, 9, 10])
    expected.remove(1)
    expected.remove(3)
    assert anvil.chain.call(REGISTRY, anvil.deployment.registry, "root") == expected.root
    # Another process comes to the same, and has nothing to do.
    assert publish_all(publisher(anvil, sender, source)) == 0


def test_the_only_member_leaves_when_somebody_joins(anvil: Anvil, sender: Sender) -> None:
    source = Members([1])
    posting = publisher(anvil, sender, source)
    assert publish_all(posting) == 1
    source.gone = [Change(1, now())]
    assert publish_all(posting) == 0  # the root would be 0, which the registry refuses
    assert members(anvil) == (1,)
    status = read_status(anvil.chain, anvil.deployment, source, sender.journal, BatchPolicy(), 1)
    assert (status.removed, status.eta) == (1, None)
    source.changes.append(Change(2, now()))
    assert publish_all(posting) == 1
    assert members(anvil) == (0, 2)


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_a_reorg_is_replayed(anvil: Anvil, sender: Sender, depth: int) -> None:
    anvil.mine(10)
    source = Members(COMMITMENTS)
    posting = publisher(anvil, sender, source)
    assert publish_all(posting) == 3
    anvil.mine(max(0, depth - 3))
    posting.step()
    anvil.reorganise(depth)
    assert len(members(anvil)) < len(COMMITMENTS)
    posting.step()
    anvil.mine(4)
    source.changes.append(Change(999, now()))
    while 999 not in members(anvil):
        posting.step(flush=True)
    assert members(anvil) == (*COMMITMENTS, 999)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["told to", "killed"])
def test_the_node_ends_and_starts_again(tmp_path: Path, how: signal.Signals) -> None:
    """Killed, it has lost its newest blocks; everything is posted once all the same."""
    anvil = Anvil(tmp_path / "state.json")
    anvil.end(signal.SIGTERM)  # so that what was deployed is written
    anvil.start_again()
    with open_sender(anvil.chain, anvil.deployment, tmp_path) as sender:
        posting = publisher(anvil, sender, Members(COMMITMENTS))
        assert posting.step() is not None
        anvil.end(how)
        with pytest.raises(ChainUnreachable):
            posting.step()
        anvil.start_again()
        while updates(anvil) < 3:
            posting.step()
        anvil.mine(3)
        assert posting.step() is None
        assert sender.journal.transactions() == []
    assert members(anvil) == tuple(COMMITMENTS)
    anvil.node.close()


def test_a_reorg_that_gives_the_nonce_to_another(anvil: Anvil, sender: Sender) -> None:
    """Nothing that was sent is ever valid again: the update is made anew."""
    posting = publisher(anvil, sender, Members(COMMITMENTS[:4]))
    publish_all(posting)
    anvil.reorganise(1)
    anvil.mine_on_demand()
    anvil.forget_mempool()
    spend_nonce(anvil, sender.address)
    anvil.mine(4)
    anvil.ask("evm_setAutomine", True)
    while not members(anvil):
        posting.step()
    assert members(anvil) == tuple(COMMITMENTS[:4])


def spend_nonce(anvil: Anvil, address: str) -> None:
    anvil.ask("anvil_impersonateAccount", address)
    anvil.ask("eth_sendTransaction", {"from": address, "to": address})


def test_too_few_attesters_hold_a_batch_back_and_no_more(anvil: Anvil, sender: Sender) -> None:
    source = Members(COMMITMENTS[:2])
    lonely = Publisher(
        anvil.chain,
        anvil.deployment,
        sender,
        source,
        attesters := local_attesters(anvil.chain, anvil.deployment, ATTESTERS[:1]),
        BatchPolicy(4, 0),
    )
    for _ in range(2):
        with pytest.raises(QuorumMissing):
            lonely.step()
    attesters += local_attesters(anvil.chain, anvil.deployment, ATTESTERS[1:2])
    source.changes.append(Change(COMMITMENTS[2], 0))
    assert publish_all(lonely) == 2
    assert members(anvil) == tuple(COMMITMENTS[:3])


def test_a_registry_of_another_service_is_not_extended(anvil: Anvil, sender: Sender) -> None:
    publish_all(publisher(anvil, sender, Members([1, 2, 3])))
    for other in ([1, 5, 3, 4], [1, 2]):
        with pytest.raises(PublishConflict):
            publisher(anvil, sender, Members(other)).step(flush=True)


def test_what_is_pending_is_told(anvil: Anvil, sender: Sender) -> None:
    source = Members(COMMITMENTS)
    policy = BatchPolicy(4, 600)

    def status() -> tuple[int, int, int, int]:
        told = read_status(
            anvil.chain, anvil.deployment, source, sender.journal, policy, POLICY.confirmations
        )
        return told.members, told.accepted, told.removed, len(told.under_way)

    assert status() == (0, 10, 0, 0)
    posting = publisher(anvil, sender, source)
    posting.step()
    assert status() == (4, 6, 0, 1)
    source.gone = [Change(COMMITMENTS[0], 0)]
    assert status() == (4, 6, 1, 1)
    publish_all(posting)
    anvil.mine(3)
    posting.step()
    assert status() == (10, 0, 0, 0)
    young = Members([*COMMITMENTS, 7], at=now() - 100)
    told = read_status(anvil.chain, anvil.deployment, young, sender.journal, policy, 3)
    assert told.oldest >= 100
    assert 400 <= told.eta <= 600
