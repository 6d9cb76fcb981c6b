"""Tokens as they are: some return nothing, some False, some call back, some keep a part."""

import pytest

from tests.contracts.chain import Event, calldata, refused
from tests.contracts.claims import RECIPIENTS, RELAYER, Claims, enroll_members
from tests.contracts.world import AMOUNT, STRANGER, World, build_world

DONATION = 3 * AMOUNT


def world_with(token: str) -> World:
    world = build_world(token=token)
    enroll_members(world)
    world.fund(2 * AMOUNT)
    return world


@pytest.mark.slow
def test_a_token_that_returns_nothing_pays(claims: Claims) -> None:
    world = world_with("SilentToken")
    claims.of(0).send(world.distributor, sender=STRANGER)
    assert world.balance(RECIPIENTS[0]) == AMOUNT


@pytest.mark.slow
def test_a_token_that_refuses_keeps_the_right_to_claim(claims: Claims) -> None:
    world = world_with("RefusingToken")
    with refused("distributor: transfer failed"):
        claims.of(0).send(world.distributor, sender=STRANGER)
    assert not world.distributor.call("isClaimed", 0, claims.of(0).nullifier)


@pytest.mark.slow
@pytest.mark.parametrize("member", [0, 1])
def test_a_token_that_calls_back_claims_nothing(claims: Claims, member: int) -> None:
    """Neither the claim being paid nor another, valid one."""
    world = world_with("ReenteringToken")
    message = calldata(world.distributor.abi, "claim", *claims.of(member).arguments)
    world.token.transact("setMessage", message)

    claims.of(0).send(world.distributor, sender=STRANGER)

    assert world.token.call("wasRefused")
    assert world.balance(RECIPIENTS[0]) == world.pool == AMOUNT
    assert not world.distributor.call("isClaimed", 0, claims.of(1).nullifier)


@pytest.mark.slow
@pytest.mark.parametrize("call", [("openEpoch",), ("donate", 0)])
def test_a_token_that_calls_back_finds_every_door_closed(
    claims: Claims, call: tuple[str, *tuple[int, ...]]
) -> None:
    world = world_with("ReenteringToken")
    world.token.transact("setMessage", calldata(world.distributor.abi, *call))

    claims.of(0).send(world.distributor, sender=STRANGER)

    assert world.token.call("wasRefused")
    world.distributor.transact(*call)


@pytest.mark.slow
def test_a_token_that_keeps_a_part_pays_less(claims: Claims) -> None:
    world = world_with("TaxingToken")
    claims.of(1, fee=AMOUNT // 100, relayer=RELAYER).send(world.distributor, sender=STRANGER)
    assert world.pool == AMOUNT
    assert world.balance(RECIPIENTS[1]) == 9 * (AMOUNT - AMOUNT // 100) // 10


def test_anybody_donates(world: World) -> None:
    pool = world.pool
    world.token.transact("mint", STRANGER, DONATION)
    world.token.transact("approve", world.distributor.address, DONATION, sender=STRANGER)

    receipt = world.distributor.transact("donate", DONATION, sender=STRANGER)

    assert receipt.events == [Event("Donated", {"donor": STRANGER, "amount": DONATION})]
    assert (world.pool, world.balance(STRANGER)) == (pool + DONATION, 0)


def test_a_donation_needs_an_allowance(world: World) -> None:
    world.token.transact("mint", STRANGER, DONATION)
    with refused("coin: allowance too low"):
        world.distributor.transact("donate", DONATION, sender=STRANGER)


def test_a_silent_token_can_be_donated() -> None:
    world = world_with("SilentToken")
    world.token.transact("mint", STRANGER, DONATION)
    world.distributor.transact("donate", DONATION, sender=STRANGER)
    assert world.pool == 2 * AMOUNT + DONATION


def test_a_donation_that_fails_says_so() -> None:
    world = world_with("RefusingToken")
    with refused("distributor: transfer failed"):
        world.distributor.transact("donate", DONATION, sender=STRANGER)


def test_nobody_but_the_deployer_mints(world: World) -> None:
    with refused("coin: not the minter"):
        world.token.transact("mint", STRANGER, 1, sender=STRANGER)


def test_the_coin_says_what_it_is(world: World) -> None:
    facts = [world.token.call(name) for name in ("name", "symbol", "decimals")]
    assert facts == ["Local coin", "LOCAL", 18]
