"""Publishing and claiming against real nodes; every test runs on anvil and on the embedded node."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account

from distribution import claims, registry
from distribution.attestation import RootUpdate, address_of
from distribution.chain import Chain
from distribution.deployment import Deployment, Terms, deploy
from distribution.embedded_node import EmbeddedNode
from distribution.errors import (
    AddressInvalid,
    AlreadyClaimed,
    ChainUnreachable,
    DeploymentMismatch,
    EpochNotClaimable,
    GroupMismatch,
    NodeFailed,
    NotAMember,
    NotDeployed,
    PoolTooPoor,
    ProofRefused,
    PublishConflict,
    QuorumMissing,
    SenderKeyInvalid,
    SenderMissing,
)
from distribution.local_node import AnvilNode, LocalNode, find_anvil, start_local_node
from distribution.registry import Publication, local_attesters, read_group
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover

pytestmark = pytest.mark.slow

KEYS = ["0x" + f"{i:02x}" * 32 for i in (1, 2, 3)]
TERMS = Terms(
    attesters=tuple(address_of(key) for key in KEYS),
    quorum=2,
    amount=5,
    pool=8,
    epoch_length=3600,
)


def publish(chain: Chain, deployment: Deployment, accepted: list[int]) -> Publication:
    attesters = local_attesters(chain, deployment, KEYS)
    return registry.publish(chain, deployment, accepted, attesters)


@pytest.fixture(scope="module", params=["anvil", "embedded"])
def node(request: pytest.FixtureRequest) -> Iterator[LocalNode]:
    started = start_local_node() if request.param == "anvil" else EmbeddedNode.start()
    assert started.name == request.param
    yield started
    started.close()


@pytest.fixture
def chain(node: LocalNode) -> Chain:
    return Chain.connect(node.url, timeout=180)


@pytest.fixture
def deployment(chain: Chain) -> Deployment:
    return deploy(chain, TERMS)


def fresh_address() -> str:
    return str(Account.create().address)


def test_members_are_paid_once_and_strangers_never(
    chain: Chain, deployment: Deployment, prover: Prover
) -> None:
    member, other, stranger = (Identity.generate() for _ in range(3))
    with pytest.raises(EpochNotClaimable):
        claims.open_epoch(chain, deployment)
    publish(chain, deployment, [member.commitment, other.commitment])
    epoch = claims.open_epoch(chain, deployment)
    group = claims.read_epoch_group(chain, deployment, epoch)
    assert epoch.root == group.root != 0

    def claim_of(identity: Identity, among: Group) -> claims.Claim:
        return claims.prove_claim(
            prover,
            identity,
            among,
            deployment,
            epoch=epoch.epoch,
            recipient=fresh_address(),
        )

    claim = claim_of(member, group)
    with pytest.raises(NotAMember):
        claim_of(stranger, group)
    for changed in (
        claim_of(stranger, Group([stranger.commitment])),
        replace(claim, recipient=fresh_address()),
        replace(claim, fee=1, relayer=fresh_address()),
    ):
        with pytest.raises(ProofRefused):
            claims.submit_claim(chain, deployment, changed)

    assert not claims.is_claimed(chain, deployment, member, epoch.epoch)
    receipt = claims.submit_claim(chain, deployment, claim)
    assert receipt.gas_used < 345_000
    assert claims.is_claimed(chain, deployment, member, epoch.epoch)
    assert claims.balance_of(chain, deployment, claim.recipient) == TERMS.amount

    with pytest.raises(AlreadyClaimed):
        claims.submit_claim(chain, deployment, claim_of(member, group))
    with pytest.raises(EpochNotClaimable):
        claims.submit_claim(chain, deployment, replace(claim, epoch=epoch.epoch + 1))
    with pytest.raises(PoolTooPoor):  # 8 in the pool paid one claim of 5
        claims.submit_claim(chain, deployment, claim_of(other, group))


def test_publishing_again_posts_only_what_is_missing(chain: Chain, deployment: Deployment) -> None:
    accepted = [11, 12, 13]
    first = publish(chain, deployment, accepted)
    assert (first.published, first.members) == (3, 3)
    again = publish(chain, deployment, accepted)
    assert (again.published, again.root, again.gas_used) == (0, first.root, 0)
    more = publish(chain, deployment, [*accepted, 14, 15])
    assert (more.published, more.members) == (2, 5)
    assert read_group(chain, deployment).root == Group([*accepted, 14, 15]).root == more.root


def test_more_members_than_one_transaction_takes(chain: Chain, deployment: Deployment) -> None:
    accepted = list(range(1, 301))
    done = publish(chain, deployment, accepted)
    assert done.published == 300
    assert read_group(chain, deployment).members == tuple(accepted)


def test_a_member_published_after_the_epoch_opened_is_not_in_its_group(
    chain: Chain, deployment: Deployment
) -> None:
    publish(chain, deployment, [21])
    epoch = claims.open_epoch(chain, deployment)
    publish(chain, deployment, [21, 22])
    assert claims.open_epoch(chain, deployment).root == epoch.root
    assert 22 not in claims.read_epoch_group(chain, deployment, epoch)
    assert 22 in read_group(chain, deployment)


def test_a_registry_with_others_members_is_not_extended(
    chain: Chain, deployment: Deployment
) -> None:
    publish(chain, deployment, [31, 32])
    with pytest.raises(PublishConflict):
        publish(chain, deployment, [31, 33, 34])
    with pytest.raises(PublishConflict):
        publish(chain, deployment, [31])


def test_a_root_that_never_was_is_noticed(chain: Chain, deployment: Deployment) -> None:
    publish(chain, deployment, [41])
    with pytest.raises(GroupMismatch):
        read_group(chain, deployment, at_root=99)


def test_anybody_posts_what_a_quorum_signed(
    node: LocalNode, chain: Chain, deployment: Deployment
) -> None:
    nobody = Chain.connect(node.url, sender_key="0x" + "11" * 32)
    chain._web3.eth.send_transaction({"from": chain.sender, "to": nobody.sender, "value": 10**18})
    assert publish(nobody, deployment, [51]).members == 1


def test_too_few_attesters_publish_nothing(chain: Chain, deployment: Deployment) -> None:
    for keys in ([], KEYS[:1], [KEYS[0], "0x" + "09" * 32]):
        with pytest.raises(QuorumMissing, match="of the 2 signatures"):
            registry.publish(chain, deployment, [51], local_attesters(chain, deployment, keys))
    assert read_group(chain, deployment).size == 0


def test_a_publisher_with_a_wrong_root_gets_no_signature(
    chain: Chain, deployment: Deployment
) -> None:
    publish(chain, deployment, [61])
    attesters = local_attesters(chain, deployment, KEYS)
    root = Group([61, 62]).root
    honest = RootUpdate(1, Group([61]).root, root, 1, (62,))
    for lie in (
        replace(honest, root=root + 1),
        replace(honest, commitments=(63,)),
        replace(honest, commitments=(62, 63)),
        replace(honest, removals=(0,)),
        replace(honest, previous_root=root),
        replace(honest, first_index=2),
    ):
        with pytest.raises(QuorumMissing, match="0 of the 2"):
            registry.collect_signatures(chain, deployment, lie, attesters)
    signatures = registry.collect_signatures(chain, deployment, honest, attesters)
    registry.post(chain, deployment, honest, signatures)
    assert read_group(chain, deployment).root == root


def test_a_deployment_of_another_chain_is_refused(chain: Chain, deployment: Deployment) -> None:
    assert deployment.check(chain) is deployment
    with pytest.raises(DeploymentMismatch):
        replace(deployment, chain_id=deployment.chain_id + 1).check(chain)
    empty, token = "0x" + "12" * 20, deployment.token
    with pytest.raises(NotDeployed):
        replace(deployment, code_hashes={empty: "0x" + "00" * 32}).check(chain)
    swapped = deployment.code_hashes | {token: deployment.code_hashes[deployment.registry]}
    with pytest.raises(DeploymentMismatch, match="not what was deployed"):
        replace(deployment, code_hashes=swapped).check(chain)


def test_scope_and_message_are_the_contracts_own(chain: Chain, deployment: Deployment) -> None:
    who, relayer = fresh_address(), fresh_address()
    address = deployment.distributor
    assert chain.call(claims.DISTRIBUTOR, address, "scope", 3) == claims.compute_scope(
        deployment, 3
    )
    assert chain.call(
        claims.DISTRIBUTOR, address, "message", who, 2, relayer
    ) == claims.compute_message(who, 2, relayer)


def test_addresses_and_keys_that_are_none(node: LocalNode, chain: Chain) -> None:
    for token in ("0x12", "nobody", "0x" + "Ab" * 20):
        with pytest.raises(AddressInvalid):
            deploy(chain, replace(TERMS, token=token))
    for key in ("0x12", "secret", "00" * 32):
        with pytest.raises(SenderKeyInvalid) as caught:
            Chain.connect(node.url, sender_key=key)
        assert key not in str(caught.value)


def test_a_taken_port_is_told(node: LocalNode) -> None:
    with pytest.raises(NodeFailed, match="taken"):
        start_local_node(int(node.url.rpartition(":")[2]))


def test_no_chain_at_all() -> None:
    with pytest.raises(ChainUnreachable):
        Chain.connect("http://127.0.0.1:9")


def test_anvil_keeps_its_state(tmp_path: Path) -> None:
    binary, state = find_anvil(), tmp_path / "state.json"
    assert binary is not None
    before = AnvilNode.start(binary, 18_545, state)
    deployment = deploy(Chain.connect(before.url), TERMS)
    publish(Chain.connect(before.url), deployment, [61, 62])
    before.close()
    after = AnvilNode.start(binary, 18_545, state)
    try:
        chain = Chain.connect(after.url)
        assert read_group(chain, deployment.check(chain)).members == (61, 62)
    finally:
        after.close()


@pytest.mark.parametrize("start", [EmbeddedNode.start, start_local_node])
def test_a_chain_dying_in_between_is_told_as_such(start: Callable[[], LocalNode]) -> None:
    node = start()
    chain = Chain.connect(node.url)
    assert chain.block_number() == 0
    node.close()
    with pytest.raises(ChainUnreachable):
        chain.block_number()


def test_a_node_without_accounts_needs_a_key(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(chain._web3.eth), "accounts", property(lambda _: ()))
    with pytest.raises(SenderMissing):
        deploy(chain, TERMS)
