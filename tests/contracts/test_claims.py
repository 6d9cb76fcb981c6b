from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.chain import CHAIN_ID, Event, refused
from tests.contracts.claims import GROUP, RECIPIENTS, RELAYER, Claim, Claims, enroll_members
from tests.contracts.world import (
    AMOUNT,
    FIELD_ORDER,
    LATE_EPOCHS,
    NOBODY,
    STRANGER,
    World,
    build_world,
    deploy_distributor,
)

pytestmark = pytest.mark.slow

FEE = AMOUNT // 100
BASE_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583


def send(world: World, claim: Claim, *, sender: str = STRANGER) -> list[Event]:
    return claim.send(world.distributor, sender=sender).events


def test_a_member_is_paid(world: World, claims: Claims) -> None:
    claim = claims.of(0)
    pool = world.pool

    events = send(world, claim)

    assert events == [
        Event("EpochOpened", {"epoch": 0, "root": GROUP.root, "amount": AMOUNT}),
        Event(
            "Claimed",
            {
                "epoch": 0,
                "nullifier": claim.nullifier,
                "recipient": RECIPIENTS[0],
                "amount": AMOUNT,
                "fee": 0,
            },
        ),
    ]
    assert (world.balance(RECIPIENTS[0]), world.pool) == (AMOUNT, pool - AMOUNT)
    assert world.balance(STRANGER) == 0
    assert world.distributor.call("isClaimed", 0, claim.nullifier)
    assert not world.distributor.call("isClaimed", 1, claim.nullifier)


def test_every_member_is_paid_once(world: World, claims: Claims) -> None:
    for member in range(3):
        send(world, claims.of(member))
        with refused("distributor: already claimed"):
            send(world, claims.of(member))
    assert [world.balance(recipient) for recipient in RECIPIENTS] == [AMOUNT] * 3


def test_once_an_epoch_whoever_the_recipient(world: World, claims: Claims) -> None:
    send(world, claims.of(0))
    with refused("distributor: already claimed"):
        send(world, claims.of(0, recipient=RECIPIENTS[2]))


def test_the_relayer_gets_the_fee_whoever_sends(world: World, claims: Claims) -> None:
    (_, claimed) = send(world, claims.of(1, fee=FEE, relayer=RELAYER), sender=STRANGER)

    assert (claimed.args["amount"], claimed.args["fee"]) == (AMOUNT, FEE)
    assert world.balance(RECIPIENTS[1]) == AMOUNT - FEE
    assert (world.balance(RELAYER), world.balance(STRANGER)) == (FEE, 0)


def test_a_fee_can_be_all_of_it(world: World, claims: Claims) -> None:
    send(world, claims.of(1, fee=AMOUNT, relayer=RELAYER))
    assert (world.balance(RECIPIENTS[1]), world.balance(RELAYER)) == (0, AMOUNT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipient": NOBODY}, "zero recipient"),
        ({"fee": AMOUNT + 1, "relayer": RELAYER}, "fee above amount"),
        ({"fee": 1}, "fee without relayer"),
        ({"nullifier": FIELD_ORDER}, "nullifier out of field"),
        ({"nullifier": 2**256 - 1}, "nullifier out of field"),
        ({"recipient": STRANGER}, "invalid proof"),
        ({"fee": 1, "relayer": RELAYER}, "invalid proof"),
        ({"relayer": RELAYER}, "invalid proof"),
        ({"nullifier": 0}, "invalid proof"),
    ],
)
def test_a_proof_binds_its_claim(
    world: World, claims: Claims, change: dict[str, Any], reason: str
) -> None:
    with refused(f"distributor: {reason}"):
        send(world, replace(claims.of(0), **change))
    send(world, claims.of(0))


def test_the_fee_of_a_proof_stays_with_its_relayer(world: World, claims: Claims) -> None:
    claim = claims.of(1, fee=FEE, relayer=RELAYER)
    for change in ({"relayer": STRANGER}, {"fee": 2 * FEE}, {"fee": 0, "relayer": NOBODY}):
        with refused("distributor: invalid proof"):
            send(world, replace(claim, **change))


def test_a_nullifier_has_one_name(world: World, claims: Claims) -> None:
    claim = claims.of(0)
    send(world, claim)
    for alias in range(claim.nullifier + FIELD_ORDER, 2**256, FIELD_ORDER):
        with refused("distributor: nullifier out of field"):
            send(world, replace(claim, nullifier=alias))


def test_another_members_nullifier_does_not_do(world: World, claims: Claims) -> None:
    with refused("distributor: invalid proof"):
        send(world, replace(claims.of(0), nullifier=claims.of(1).nullifier))


def test_a_proof_is_for_one_epoch(world: World, claims: Claims) -> None:
    world.distributor.transact("openEpoch")
    world.enter_epoch(1)
    with refused("distributor: invalid proof"):
        send(world, replace(claims.of(0), epoch=1))


def test_a_proof_is_for_one_chain(claims: Claims) -> None:
    elsewhere = build_world(chain_id=CHAIN_ID + 1)
    enroll_members(elsewhere)
    elsewhere.fund(AMOUNT)
    with refused("distributor: invalid proof"):
        send(elsewhere, claims.of(0))


def test_a_proof_is_for_one_contract(world: World, claims: Claims) -> None:
    other = deploy_distributor(world.chain, world.registry, world.token.address)
    world.token.transact("mint", other.address, AMOUNT)
    with refused("distributor: invalid proof"):
        send(replace(world, distributor=other), claims.of(0))


@pytest.mark.parametrize("position", range(8))
def test_altered_points_prove_nothing(world: World, claims: Claims, position: int) -> None:
    claim = claims.of(0)
    for value in (
        0,
        1,
        claim.points[position] ^ 1,
        BASE_FIELD,
        claim.points[position] + BASE_FIELD,
    ):
        points = list(claim.points)
        points[position] = value
        with refused("distributor: invalid proof"):
            send(world, replace(claim, points=tuple(points)))


@pytest.mark.parametrize(
    "positions", [(0, 1), (2, 3, 4, 5), (6, 7), (0, 1, 2, 3, 4, 5), range(8)], ids=str
)
def test_points_at_infinity_prove_nothing(
    world: World, claims: Claims, positions: tuple[int, ...]
) -> None:
    claim = claims.of(0)
    points = [0 if i in positions else value for i, value in enumerate(claim.points)]
    with refused("distributor: invalid proof"):
        send(world, replace(claim, points=tuple(points)))


def test_a_twin_of_a_proof_pays_nobody_twice(world: World, claims: Claims) -> None:
    # (-A, -B, C) satisfies the same equation as (A, B, C): proofs are malleable, nullifiers
    # are not.
    claim = claims.of(0)
    ax, ay, bx1, bx0, by1, by0, cx, cy = claim.points
    twin = replace(
        claim,
        points=(ax, BASE_FIELD - ay, bx1, bx0, BASE_FIELD - by1, BASE_FIELD - by0, cx, cy),
    )
    send(world, twin)
    with refused("distributor: already claimed"):
        send(world, claim)


def test_an_epoch_pays_the_members_it_began_with(world: World, claims: Claims) -> None:
    world.distributor.transact("openEpoch")
    world.post(GROUP.root, 99, 3, [], [0])

    send(world, claims.of(0))

    world.enter_epoch(1)
    with refused("distributor: invalid proof"):
        send(world, claims.of(0, epoch=1))


def test_late_claims_are_paid_as_long_as_they_last(world: World, claims: Claims) -> None:
    world.distributor.transact("openEpoch")
    world.post(GROUP.root, 99, 3, [], [0])

    world.enter_epoch(LATE_EPOCHS)
    opened, _ = send(world, claims.of(0))
    assert opened == Event("EpochOpened", {"epoch": LATE_EPOCHS, "root": 99, "amount": AMOUNT})
    with refused("distributor: already claimed"):
        send(world, claims.of(0))

    world.enter_epoch(LATE_EPOCHS + 1)
    with refused("distributor: epoch not claimable"):
        send(world, claims.of(1))


def test_every_epoch_pays_again(world: World, claims: Claims) -> None:
    for epoch in range(3):
        world.enter_epoch(epoch)
        send(world, claims.of(0, epoch=epoch))
    assert world.balance(RECIPIENTS[0]) == 3 * AMOUNT


def test_a_poor_pool_costs_nobody_the_right_to_claim(claims: Claims) -> None:
    world = build_world()
    enroll_members(world)
    world.fund(AMOUNT - 1)
    with refused("distributor: pool too low"):
        send(world, claims.of(0))

    world.fund(1)
    send(world, claims.of(0))

    assert world.pool == 0
    with refused("distributor: pool too low"):
        send(world, claims.of(1))
