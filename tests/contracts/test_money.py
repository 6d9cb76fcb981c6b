"""The native coin, recipients that misbehave, and the two policies of how much is paid."""

from functools import cache

import pytest

from tests.contracts.chain import Contract, Event, calldata, refused
from tests.contracts.claims import (
    CROWD_FEE,
    RECIPIENTS,
    RELAYER,
    Batch,
    Claims,
    enroll_crowd,
    enroll_members,
    read_crowd_claims,
)
from tests.contracts.world import (
    AMOUNT,
    STRANGER,
    World,
    build_world,
    deploy_test_contract,
)

TAKE, REFUSE, BURN, CALL_BACK, ANSWER_AT_LENGTH = range(5)
SHARE = 10**17  # a tenth of the pool an epoch
LEAST = 10  # claimants

crowd = cache(read_crowd_claims)


@pytest.fixture
def native() -> World:
    """Pays the chain's own coin to three members."""
    world = build_world(native=True)
    enroll_members(world)
    world.fund(3 * AMOUNT)
    return world


@pytest.fixture
def wallet(native: World) -> Contract:
    """A member's smart account, at the same address in every world."""
    return deploy_test_contract(native.chain, "Wallet")


def shared_pool() -> World:
    """Pays the crowd a share of a pool of 100 `AMOUNT`."""
    world = build_world(policy=(0, SHARE, LEAST))
    enroll_crowd(world)
    world.fund(100 * AMOUNT)
    return world


def reasons(events: list[Event]) -> list[str]:
    return [event.args["reason"] for event in events if event.name == "Skipped"]


@pytest.mark.slow
def test_the_native_coin_is_paid(native: World, claims: Claims) -> None:
    claims.of(0).send(native.distributor, sender=STRANGER)
    claims.of(1, fee=AMOUNT // 100, relayer=RELAYER).send(native.distributor, sender=STRANGER)

    assert native.balance(RECIPIENTS[0]) == AMOUNT
    assert native.balance(RECIPIENTS[1]) == AMOUNT - AMOUNT // 100
    assert (native.balance(RELAYER), native.pool) == (AMOUNT // 100, AMOUNT)


def test_a_batch_is_paid_in_the_native_coin() -> None:
    world = build_world(native=True)
    enroll_crowd(world)
    world.fund(32 * AMOUNT)
    Batch.of(world, crowd()[:32]).send(world)
    assert (world.pool, world.balance(RELAYER)) == (0, 32 * CROWD_FEE)
    assert world.balance(crowd()[31].recipient) == AMOUNT - CROWD_FEE


@pytest.mark.parametrize("way", ["donate", "plain"])
def test_anybody_donates_the_native_coin(native: World, way: str) -> None:
    native.chain.evm.set_balance(STRANGER, AMOUNT)
    if way == "donate":
        events = native.distributor.transact("donate", AMOUNT, sender=STRANGER, value=AMOUNT).events
        assert events == [Event("Donated", {"donor": STRANGER, "amount": AMOUNT})]
    else:
        address = native.distributor.address
        native.chain.message_call(STRANGER, address, b"", is_static=False, value=AMOUNT)
    assert native.pool == 4 * AMOUNT


def test_a_donation_is_what_is_sent(native: World, world: World) -> None:
    native.chain.evm.set_balance(STRANGER, AMOUNT)
    with refused("distributor: other value sent"):
        native.distributor.transact("donate", AMOUNT, sender=STRANGER, value=1)
    world.chain.evm.set_balance(STRANGER, AMOUNT)
    with refused("distributor: other value sent"):
        world.distributor.transact("donate", 0, sender=STRANGER, value=1)
    with refused("distributor: not in this coin"):
        world.chain.message_call(STRANGER, world.distributor.address, b"", is_static=False, value=1)


@pytest.mark.slow
@pytest.mark.parametrize("mood", [REFUSE, BURN, ANSWER_AT_LENGTH])
def test_a_griefing_recipient_costs_the_others_nothing(
    native: World, wallet: Contract, claims: Claims, mood: int
) -> None:
    wallet.transact("setMood", mood)
    griefing = claims.of(1, recipient=wallet.address)
    batch = [claims.of(0), griefing, claims.of(2)]

    events = Batch.of(native, batch).send(native).events

    assert reasons(events) == ["transfer failed"]
    assert native.pool == AMOUNT
    result = native.chain.evm.result
    assert result is not None
    assert result.gas_used < 700_000  # what the recipient may burn is bounded

    with refused("distributor: transfer failed"):
        griefing.send(native.distributor, sender=STRANGER)
    wallet.transact("setMood", TAKE)
    griefing.send(native.distributor, sender=STRANGER)
    assert (native.balance(wallet.address), native.pool) == (AMOUNT, 0)


@pytest.mark.parametrize("native", [False, True], ids=["token", "native coin"])
def test_a_sender_cannot_starve_one_payment_of_gas(native: bool) -> None:
    """With the least gas that a batch gets through with, everybody in it is paid."""
    worlds = []
    for _ in range(2):
        world = build_world(native=native)
        enroll_crowd(world)
        world.fund(2 * AMOUNT)
        worlds.append(world)
    generous, scarce = worlds
    batch = Batch.of(generous, crowd()[:2])
    batch.send(generous)
    result = generous.chain.evm.result
    assert result is not None

    data = calldata(scarce.distributor.abi, "claimBatch", *batch.arguments)
    for gas in range(int(result.gas_used) - 1_000, int(result.gas_used) + 50_000, 500):
        try:
            scarce.chain.evm.message_call(STRANGER, scarce.distributor.address, data, gas=gas)
        except RuntimeError:
            continue
        break
    assert scarce.pool == 0


@pytest.mark.slow
def test_a_recipient_that_calls_back_claims_nothing(
    native: World, wallet: Contract, claims: Claims
) -> None:
    wallet.transact("setMood", CALL_BACK)
    claim = claims.of(1, recipient=wallet.address)
    other = claims.of(0)
    for call in (claim.arguments, other.arguments):
        assert not wallet.call("wasRefused")
        wallet.transact("setMessage", calldata(native.distributor.abi, "claim", *call))
    claim.send(native.distributor, sender=STRANGER)
    assert wallet.call("wasRefused")
    assert native.pool == 2 * AMOUNT
    assert not native.distributor.call("isClaimed", 0, other.nullifier)


@pytest.mark.slow
def test_a_relayer_that_refuses_harms_itself(
    native: World, wallet: Contract, claims: Claims
) -> None:
    wallet.transact("setMood", REFUSE)
    claim = claims.of(1, fee=1, relayer=wallet.address)
    with refused("distributor: transfer failed"):
        claim.send(native.distributor, sender=STRANGER)
    with refused("distributor: transfer failed"):
        Batch.of(native, [claim]).send(native)
    claims.of(1).send(native.distributor, sender=STRANGER)


@pytest.mark.slow
def test_the_pool_is_no_recipient_and_no_relayer(world: World, claims: Claims) -> None:
    address = world.distributor.address
    with refused("distributor: transfer failed"):
        claims.of(1, recipient=address).send(world.distributor, sender=STRANGER)
    with refused("distributor: transfer failed"):
        claims.of(1, fee=1, relayer=address).send(world.distributor, sender=STRANGER)


def frozen_pool() -> World:
    world = build_world(token="FrozenToken")
    enroll_crowd(world)
    world.fund(10 * AMOUNT)
    return world


def test_a_token_that_reverts_for_one_pays_the_others() -> None:
    world = frozen_pool()
    claims = crowd()[:3]
    world.token.transact("freeze", claims[1].recipient, True)

    assert reasons(Batch.of(world, claims).send(world).events) == ["transfer failed"]
    assert world.pool == 8 * AMOUNT
    with refused("distributor: transfer failed"):
        claims[1].send(world.distributor, sender=STRANGER)

    world.token.transact("freeze", claims[1].recipient, False)
    claims[1].send(world.distributor, sender=STRANGER)
    assert world.pool == 7 * AMOUNT


def test_a_token_that_takes_more_than_is_paid_is_refused() -> None:
    world = frozen_pool()
    world.token.transact("setSurcharge", 1)
    with refused("distributor: token took more"):
        crowd()[0].send(world.distributor, sender=STRANGER)
    with refused("distributor: token took more"):
        Batch.of(world, crowd()[:2]).send(world)
    assert world.pool == 10 * AMOUNT


def test_of_a_taxed_donation_counts_what_arrives() -> None:
    world = build_world(token="TaxingToken")
    world.token.transact("mint", STRANGER, AMOUNT)
    (event,) = world.distributor.transact("donate", AMOUNT, sender=STRANGER).events
    assert event.args["amount"] == world.pool == 9 * AMOUNT // 10


def test_a_share_is_divided_by_the_claimants() -> None:
    world = shared_pool()
    assert world.distributor.call("epochAmount", 0) == 0
    world.distributor.transact("openEpoch")
    assert world.distributor.call("epochAmount", 0) == 10 * AMOUNT // LEAST
    assert world.distributor.call("payableNow") == 20 * AMOUNT

    Batch.of(world, crowd()[:20]).send(world)  # 20 AMOUNT: twice what was expected

    assert world.pool == 80 * AMOUNT
    world.enter_epoch(1)
    (opened,) = world.distributor.transact("openEpoch").events
    assert opened.args["amount"] == 8 * AMOUNT // 20
    assert world.distributor.call("smoothedClaimants") == 20


def test_a_rise_is_followed_at_once_and_a_fall_slowly() -> None:
    world = shared_pool()
    Batch.of(world, crowd()[:20]).send(world)
    smoothed = []
    for epoch in range(1, 5):
        world.enter_epoch(epoch)
        world.distributor.transact("openEpoch")
        smoothed.append(world.distributor.call("smoothedClaimants"))
    assert smoothed == [20, 15, 12, 9]
    least = world.pool * SHARE // 10**18 // LEAST
    assert world.distributor.call("epochAmount", 4) == least


def test_more_claimants_than_expected_are_paid_late() -> None:
    world = shared_pool()
    claims = crowd()
    Batch.of(world, claims[:20]).send(world)
    with refused("distributor: pool too low"):
        claims[20].send(world.distributor, sender=STRANGER)
    assert reasons(Batch.of(world, claims[20:23]).send(world).events) == ["pool too low"] * 3

    world.enter_epoch(1)  # what is left is 80; a tenth twice is 16
    skipped = reasons(Batch.of(world, claims[20:40]).send(world).events)
    assert skipped == ["pool too low"] * 4
    assert world.pool == 64 * AMOUNT
    world.enter_epoch(2)
    assert reasons(Batch.of(world, claims[36:40]).send(world).events) == []


def test_a_share_of_nothing_pays_nobody_and_costs_no_right() -> None:
    world = build_world(policy=(0, SHARE, LEAST))
    enroll_crowd(world)
    with refused("distributor: fee above amount"):
        crowd()[0].send(world.distributor, sender=STRANGER)
    assert not world.distributor.call("isClaimed", 0, crowd()[0].nullifier)


def test_amounts_are_rounded_down() -> None:
    world = build_world(policy=(0, SHARE, 3))
    enroll_crowd(world)
    world.fund(1_000)
    world.distributor.transact("openEpoch")
    assert world.distributor.call("epochAmount", 0) == 33
