"""A relayer: what it takes, what it pays, and what becomes of claims when things go wrong."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from distribution import claims
from distribution.attestation import pause, sign_sorted
from distribution.chain import Chain
from distribution.claims import submit_claim
from distribution.deployment import DISTRIBUTOR, TOKEN
from distribution.endpoint import open_account
from distribution.errors import RelayDatabaseMismatch
from distribution.hashing import words
from distribution.publisher import BatchPolicy
from distribution.relay_claims import ClaimRow, VersionRow
from distribution.relay_store import RelayStore
from distribution.sent import SentState
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from tests.integration.relaying import (
    FEE,
    MEMBERS,
    POINTS,
    RELAYER,
    Running,
    World,
    relay_until_killed,
    running,
)
from tests.integration.senders import ATTESTERS, TERMS, killed, open_database

pytestmark = pytest.mark.slow
BASE_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583


@pytest.fixture(scope="module")
def built(prover: Prover) -> Iterator[World]:
    world = World(prover)
    yield world
    world.anvil.node.close()


@pytest.fixture
def world(built: World) -> Iterator[World]:
    with built.unchanged():
        yield built


@pytest.fixture
def relaying(world: World, tmp_path: Path) -> Iterator[Running]:
    with running(world.anvil.chain, world.anvil.deployment, tmp_path) as relaying:
        yield relaying


def post_all(world: World, relaying: Running) -> list[str]:
    answers = [relaying.post(claim) for claim in world.claims]
    assert {answer.status_code for answer in answers} == {202}
    return [answer.headers["Location"] for answer in answers]


def finish(world: World, relaying: Running) -> None:
    for _ in range(3):
        relaying.relayer.step()
        world.anvil.mine(3)
    relaying.relayer.step()


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    fields = answer.json()
    assert fields["status"] == answer.status_code
    assert fields["request_id"] == answer.headers["X-Request-Id"]
    return answer.status_code, fields["code"]


def test_from_queued_to_paid(world: World, relaying: Running) -> None:
    told = relaying.client.get("/v1/relayer").json()
    assert (told["relayer"], told["minimum_fee"]) == (RELAYER, str(FEE))
    at = post_all(world, relaying)
    assert relaying.states(*at) == ["queued"] * MEMBERS
    assert relaying.relayer.step() == MEMBERS
    assert relaying.states(*at) == ["submitted"] * MEMBERS
    relaying.relayer.step()
    assert relaying.states(*at) == ["submitted"] * MEMBERS  # in a block, not final
    world.anvil.mine(2)
    relaying.relayer.step()
    assert relaying.states(*at) == ["finalised"] * MEMBERS
    assert len({relaying.client.get(one).json()["transaction"] for one in at}) == 1
    assert [world.balance(who) for who in world.recipients] == [TERMS.amount - FEE] * MEMBERS
    assert world.balance(RELAYER) == MEMBERS * FEE


def test_batches_by_size_or_age(world: World, tmp_path: Path) -> None:
    anvil, patient = world.anvil, BatchPolicy(3, 3600)
    with running(anvil.chain, anvil.deployment, tmp_path, batches=patient) as relaying:
        for claim in world.claims[:2]:
            assert relaying.post(claim).json()["eta_seconds"] >= 3000
        assert relaying.relayer.step() == 0
        relaying.post(world.claims[2])
        assert relaying.relayer.step() == 3
        relaying.post(world.claims[3])
        assert relaying.relayer.step() == 0
        anvil.ask("evm_increaseTime", 5 * 7 * 24 * 3600 - 7200)  # the right to claim ends soon
        anvil.mine()
        assert relaying.relayer.step() == 1


def test_one_claim_goes_the_cheaper_way(world: World, relaying: Running) -> None:
    relaying.post(world.claims[0])
    relaying.relayer.step()
    relaying.relayer.step()
    (sent,) = relaying.sender.journal.transactions(list(SentState))
    single = world.anvil.chain.encode(
        DISTRIBUTOR,
        world.anvil.deployment.distributor,
        "claim",
        *(world.epoch.epoch, world.claims[0].recipient, FEE, RELAYER),
        world.claims[0].proof.nullifier,
        list(world.claims[0].proof.points),
    )
    assert sent.call == single
    assert sent.gas_used is not None
    assert sent.gas_used < 345_000


def test_the_same_claim_is_taken_once(world: World, relaying: Running) -> None:
    first = relaying.post(world.claims[0])
    ax, ay, bx1, bx0, by1, by0, cx, cy = world.claims[0].proof.points
    negated = (ax, BASE_FIELD - ay, bx1, bx0, BASE_FIELD - by1, BASE_FIELD - by0, cx, cy)
    twin = replace(world.claims[0], proof=replace(world.claims[0].proof, points=negated))
    for again in (world.claims[0], twin):
        answer = relaying.post(again)
        assert (answer.status_code, answer.json()["id"]) == (202, first.json()["id"])
    for changes in ({"recipient": world.recipients[1]}, {"fee": "2"}, {"epoch": 9}):
        assert problem(relaying.post(world.claims[0], **changes)) == (409, "claim_conflict")
    finish(world, relaying)
    assert relaying.post(twin).json()["state"] == "finalised"
    assert world.paid() == world.recipients[:1]


def test_nothing_is_queued_that_would_not_be_paid(
    world: World, relaying: Running, prover: Prover
) -> None:
    claim = world.claims[0]
    proof = claim.proof.to_dict()
    stranger = Identity.generate()
    forged = claims.prove_claim(
        prover,
        stranger,
        Group([stranger.commitment]),
        world.anvil.deployment,
        epoch=claim.epoch,
        recipient=claim.recipient,
        fee=FEE,
        relayer=RELAYER,
    )
    points = list(world.claims[1].proof.to_dict()["points"])  # type: ignore[call-overload]
    alias = str(claim.proof.nullifier + SCALAR_FIELD)
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"recipient": world.recipients[1]}, 422, "proof_message_wrong"),
        ({"fee": "2"}, 422, "proof_message_wrong"),
        ({"proof": proof | {"nullifier": alias}}, 422, "proof_nullifier_out_of_field"),
        ({"proof": proof | {"nullifier": str(2**256)}}, 422, "proof_malformed"),
        ({"proof": proof | {"nullifier": "-1"}}, 422, "proof_malformed"),
        ({"proof": proof | {"points": points}}, 422, "proof_pairing_failed"),
        ({"proof": proof | {"points": ["1"] * 8}}, 422, "proof_point_not_on_curve"),
        ({"proof": proof | {"merkleTreeRoot": "0"}}, 422, "proof_root_zero"),
        ({"proof": proof | {"merkleTreeDepth": 20}}, 422, "proof_depth_wrong"),
        ({"proof": proof | {"points": []}}, 422, "proof_malformed"),
        ({"proof": forged.proof.to_dict()}, 422, "proof_root_unknown"),
        ({"epoch": claim.epoch + 1}, 422, "epoch_not_claimable"),
        ({"fee": "0"}, 422, "fee_too_low"),
        ({"fee": str(TERMS.amount + 1)}, 422, "fee_too_high"),
        ({"recipient": "0x12"}, 422, "address_invalid"),
        ({"recipient": "0x" + "00" * 20}, 422, "address_invalid"),
        ({"recipient": world.anvil.deployment.distributor}, 422, "address_invalid"),
        ({"fee": 1}, 400, "relay_request_malformed"),
        ({"epoch": "0"}, 400, "relay_request_malformed"),
        ({"more": 1}, 400, "relay_request_malformed"),
    ]
    for changes, status, code in cases:
        assert problem(relaying.post(claim, **changes)) == (status, code)
    for content, expected in (
        ("{", (400, "relay_request_malformed")),
        ("[" * 4000, (400, "relay_request_malformed")),
        ("x" * 5000, (413, "relay_request_too_large")),
    ):
        assert problem(relaying.client.post("/v1/claims", content=content)) == expected
    submit_claim(world.anvil.chain, world.anvil.deployment, claim)
    assert problem(relaying.post(claim)) == (409, "already_claimed")
    assert problem(relaying.client.get("/v1/claims/none")) == (404, "claim_unknown")
    assert problem(relaying.client.get("/v2")) == (404, "not_found")
    assert relaying.relayer.step() == 0


def test_a_copied_claim_pays_the_same_people(world: World, relaying: Running) -> None:
    """Whoever sends it, recipient and relayer get what the proof names."""
    queued, flying = (relaying.post(claim).headers["Location"] for claim in world.claims[:2])
    submit_claim(world.anvil.chain, world.anvil.deployment, world.claims[0])
    world.anvil.mine_on_demand()
    assert relaying.relayer.step() == 1  # the first one is paid already
    copy = world.anvil.chain.encode(
        DISTRIBUTOR,
        world.anvil.deployment.distributor,
        "claim",
        *(world.epoch.epoch, world.claims[1].recipient, FEE, RELAYER),
        world.claims[1].proof.nullifier,
        list(world.claims[1].proof.points),
    )
    tip = hex(10**11)
    world.anvil.ask(
        "eth_sendTransaction",
        {
            "from": world.anvil.chain.sender,
            "to": copy.to,
            "data": "0x" + copy.data.hex(),
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": tip,
        },
    )
    world.anvil.mine(3)
    for _ in range(3):
        relaying.relayer.step()
        world.anvil.mine(3)
    relaying.relayer.step()
    assert world.paid() == world.recipients[:2]
    assert relaying.states(queued, flying) == ["finalised"] * 2
    assert world.balance(RELAYER) == 2 * FEE


def test_a_member_who_claims_elsewhere_meanwhile(world: World, relaying: Running) -> None:
    at = relaying.post(world.claims[0]).headers["Location"]
    elsewhere = world.prove(0, world.recipients[3])
    submit_claim(world.anvil.chain, world.anvil.deployment, elsewhere)
    finish(world, relaying)
    told = relaying.client.get(at).json()
    assert (told["state"], told["code"]) == ("failed", "already_claimed")
    assert world.paid() == [world.recipients[3]]


def test_a_pool_that_cannot_pay_all(world: World, relaying: Running) -> None:
    take_from_pool(world, world.balance(world.anvil.deployment.distributor) - 7)
    at = post_all(world, relaying)
    finish(world, relaying)
    told = [relaying.client.get(one).json() for one in at]
    assert [one["state"] for one in told] == ["finalised"] + ["failed"] * 3
    assert {one["code"] for one in told[1:]} == {"pool_too_poor"}
    again = relaying.post(world.claims[1])  # a failed claim may be sent again
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    finish(world, relaying)
    assert relaying.client.get(at[1]).json()["code"] == "pool_too_poor"  # before any gas
    world.anvil.chain.transact(TOKEN, world.anvil.deployment.token, "mint", *_pool(world, 100))
    relaying.post(world.claims[1])
    finish(world, relaying)
    assert world.paid() == world.recipients[:2]


def _pool(world: World, amount: int) -> tuple[str, int]:
    return world.anvil.deployment.distributor, amount


def take_from_pool(world: World, amount: int) -> None:
    pool, anvil = world.anvil.deployment.distributor, world.anvil
    call = anvil.chain.encode(TOKEN, anvil.deployment.token, "transfer", anvil.chain.sender, amount)
    anvil.ask("anvil_setBalance", pool, hex(10**18))
    anvil.ask("anvil_impersonateAccount", pool)
    sending = {"from": pool, "to": call.to, "data": "0x" + call.data.hex()}
    anvil.ask("eth_sendTransaction", sending)


def test_one_that_holds_no_longer_does_not_cost_the_others(
    world: World, relaying: Running, tmp_path: Path
) -> None:
    at = post_all(world, relaying)
    database = open_database(tmp_path)
    with database.write() as connection:  # as if the epoch had another root since
        other = update(ClaimRow).where(ClaimRow.sequence == 2).values(epoch=world.epoch.epoch)
        points = words(1, 2, *world.claims[0].proof.points[2:])
        connection.execute(other.values(points=points))
    database.engine.dispose()
    finish(world, relaying)
    assert relaying.states(*at) == ["finalised", "failed", "finalised", "finalised"]
    assert relaying.client.get(at[1]).json()["code"] == "proof_refused"


def test_a_pause_makes_claims_wait(world: World, relaying: Running) -> None:
    at = post_all(world, relaying)
    for action, paused, after in ((0, True, "queued"), (1, False, "finalised")):
        deployment = world.anvil.deployment
        address = deployment.distributor
        message = pause(deployment.chain_id, address, 1, action, paused=paused)
        signatures = sign_sorted(message, [open_account(key) for key in ATTESTERS[:2]])
        world.anvil.chain.transact(DISTRIBUTOR, address, "setPaused", paused, signatures)
        finish(world, relaying)
        assert relaying.states(*at) == [after] * MEMBERS


@pytest.mark.parametrize("depth", [2, 10])
def test_a_reorg_pays_nobody_twice_and_forgets_nobody(
    world: World, relaying: Running, depth: int
) -> None:
    at = post_all(world, relaying)
    relaying.relayer.step()
    world.anvil.mine(depth - 1)
    relaying.relayer.step()
    assert set(relaying.states(*at)) == {"finalised" if depth == 10 else "submitted"}
    world.anvil.reorganise(depth)
    assert world.paid() == []
    relaying.relayer.step()
    assert relaying.states(*at) == ["submitted"] * MEMBERS
    finish(world, relaying)
    assert relaying.states(*at) == ["finalised"] * MEMBERS
    assert sorted(world.paid()) == world.recipients


def test_a_node_that_loses_its_mempool(world: World, relaying: Running) -> None:
    at = post_all(world, relaying)
    world.anvil.mine_on_demand()
    relaying.relayer.step()
    world.anvil.forget_mempool()
    finish(world, relaying)
    assert relaying.states(*at) == ["finalised"] * MEMBERS


@pytest.mark.parametrize("point", POINTS)
def test_after_a_power_cut_everybody_is_paid_once(world: World, tmp_path: Path, point: str) -> None:
    anvil, file = world.anvil, tmp_path / "deployment.json"
    anvil.deployment.write(file)
    with running(anvil.chain, anvil.deployment, tmp_path) as relaying:
        at = post_all(world, relaying)
    assert killed(relay_until_killed, anvil.url, str(file), str(tmp_path), point)
    with running(anvil.chain, anvil.deployment, tmp_path) as relaying:
        assert relaying.states(*at) != []
        finish(world, relaying)
        assert relaying.states(*at) == ["finalised"] * MEMBERS
        nonces = [one.nonce for one in relaying.sender.journal.transactions(list(SentState))]
    assert sorted(world.paid()) == world.recipients
    assert nonces == list(range(len(nonces)))


def test_it_opens_the_epoch(world: World, relaying: Running) -> None:
    world.anvil.ask("evm_increaseTime", 7 * 24 * 3600)
    world.anvil.mine()
    relaying.relayer.step()
    assert claims.read_epoch(world.anvil.chain, world.anvil.deployment).root == world.epoch.root
    relaying.relayer.step()
    assert len(relaying.sender.journal.transactions(list(SentState))) == 1


def test_a_full_queue_and_a_busy_range(world: World, tmp_path: Path) -> None:
    anvil = world.anvil
    with running(anvil.chain, anvil.deployment, tmp_path, capacity=1, per_minute=3) as relaying:
        assert relaying.post(world.claims[0]).status_code == 202
        full = relaying.post(world.claims[1])
        assert problem(full) == (503, "queue_full")
        assert int(full.headers["Retry-After"]) > 0
        assert relaying.post(world.claims[0]).status_code == 202  # known, so it needs no room
        busy = relaying.post(world.claims[0])
        assert problem(busy) == (429, "relay_too_many_requests")
        assert 0 < int(busy.headers["Retry-After"]) <= 60


def test_a_chain_that_is_away(world: World, tmp_path: Path) -> None:
    impatient = Chain.connect(world.anvil.url, timeout=0.5)
    with running(impatient, world.anvil.deployment, tmp_path) as relaying:
        with world.anvil.hanging():
            assert problem(relaying.post(world.claims[0])) == (503, "chain_timeout")
        assert relaying.post(world.claims[0]).status_code == 202


def test_a_database_of_another_version(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    RelayStore(database, "a")
    with database.write() as connection:
        connection.execute(update(VersionRow).values(version=9))
    with pytest.raises(RelayDatabaseMismatch, match="version 9"):
        RelayStore(database, "a")
    database.engine.dispose()
