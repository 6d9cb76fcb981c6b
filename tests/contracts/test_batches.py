"""Batches of a crowd's claims, whose proofs are kept in a file."""

from dataclasses import replace
from functools import cache

import pytest

from tests.contracts.chain import CHAIN_ID, Event, RevertedError, refused
from tests.contracts.claims import (
    CROWD_FEE,
    CROWD_GROUP,
    RELAYER,
    Batch,
    Claim,
    Claims,
    enroll_crowd,
    enroll_members,
    read_crowd_claims,
)
from tests.contracts.test_verifier import OUTSIDE_SUBGROUP
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

BASE_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583

crowd = cache(read_crowd_claims)


@pytest.fixture
def peopled() -> World:
    """Epoch 0, the crowd enrolled, a pool for all of them."""
    world = build_world()
    enroll_crowd(world)
    world.fund(100 * AMOUNT)
    return world


def outcome(events: list[Event]) -> list[str]:
    """What became of each entry, in order."""
    return [event.args.get("reason", "paid") for event in events if "nullifier" in event.args]


def with_points(claim: Claim, change: dict[int, int]) -> Claim:
    points = tuple(change.get(i, value) for i, value in enumerate(claim.points))
    return replace(claim, points=points)


def negated(claim: Claim, *positions: int) -> Claim:
    return with_points(claim, {i: BASE_FIELD - claim.points[i] for i in positions})


@pytest.mark.parametrize("size", [1, 2, 32, 100])
def test_everybody_in_a_batch_is_paid(peopled: World, size: int) -> None:
    claims = crowd()[:size]
    events = Batch.of(peopled, claims).send(peopled).events

    assert outcome(events) == ["paid"] * size
    assert all(peopled.balance(claim.recipient) == AMOUNT - CROWD_FEE for claim in claims)
    assert peopled.balance(RELAYER) == size * CROWD_FEE
    assert peopled.pool == (100 - size) * AMOUNT
    assert all(peopled.distributor.call("isClaimed", 0, c.nullifier) for c in claims)


def test_a_batch_opens_the_epoch_and_logs_every_payment(peopled: World) -> None:
    claim = crowd()[7]
    events = Batch.of(peopled, [claim]).send(peopled).events
    paid = {
        "epoch": 0,
        "nullifier": claim.nullifier,
        "recipient": claim.recipient,
        "amount": AMOUNT,
        "fee": CROWD_FEE,
    }
    assert events == [
        Event("EpochOpened", {"epoch": 0, "root": CROWD_GROUP.root, "amount": AMOUNT}),
        Event("Claimed", paid),
    ]


def test_the_same_claim_by_any_way_is_paid_once(peopled: World) -> None:
    claims = crowd()[:4]
    claims[1].send(peopled.distributor, sender=STRANGER)

    twice = [*claims, claims[3]]
    events = Batch.of(peopled, twice).send(peopled).events

    again = "already claimed"
    assert outcome(events) == ["paid", again, "paid", "paid", again]
    assert outcome(Batch.of(peopled, claims).send(peopled).events) == [again] * 4
    with refused("distributor: already claimed"):
        claims[2].send(peopled.distributor, sender=STRANGER)
    assert peopled.balance(RELAYER) == 4 * CROWD_FEE
    assert peopled.pool == 96 * AMOUNT


def test_no_more_than_a_hundred(peopled: World) -> None:
    claims = crowd()
    with pytest.raises(RevertedError):
        Batch.of(peopled, [*claims, claims[0]]).send(peopled)


def test_an_empty_batch_is_refused(peopled: World) -> None:
    with refused("distributor: empty batch"):
        Batch(0, RELAYER, (), (0, 0)).send(peopled)


@pytest.mark.parametrize("position", range(6))
def test_an_altered_point_spoils_the_batch(peopled: World, position: int) -> None:
    first, second, third = crowd()[:3]
    for value in (0, 1, second.points[position] ^ 1, second.points[position] + BASE_FIELD):
        altered = with_points(second, {position: value})
        with refused("distributor: invalid proof"):
            Batch.of(peopled, [first, altered, third]).send(peopled)


@pytest.mark.parametrize("positions", [(0, 1), (2, 3, 4, 5), (0, 1, 2, 3, 4, 5)], ids=str)
def test_points_at_infinity_spoil_the_batch(peopled: World, positions: tuple[int, ...]) -> None:
    first, second = crowd()[:2]
    for batch in ([second], [first, second], [second, first]):
        gone = [with_points(c, dict.fromkeys(positions, 0)) if c is second else c for c in batch]
        with refused("distributor: invalid proof"):
            Batch.of(peopled, gone).send(peopled)


def test_a_point_outside_the_subgroup_spoils_the_batch(peopled: World) -> None:
    first, second = crowd()[:2]
    outside = with_points(second, dict(zip(range(2, 6), OUTSIDE_SUBGROUP, strict=True)))
    with refused("distributor: invalid proof"):
        Batch.of(peopled, [first, outside]).send(peopled)


@pytest.mark.parametrize("folded", [(0, 0), (1, 2), (1, 1), (BASE_FIELD, 2), (2**256 - 1, 0)])
def test_another_sum_of_c_spoils_the_batch(peopled: World, folded: tuple[int, int]) -> None:
    batch = Batch.of(peopled, crowd()[:2])
    with refused("distributor: invalid proof"):
        replace(batch, folded=folded).send(peopled)
    with refused("distributor: invalid proof"):
        replace(batch, folded=(batch.folded[0], BASE_FIELD - batch.folded[1])).send(peopled)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipient": STRANGER}, "invalid proof"),
        ({"fee": CROWD_FEE + 1}, "invalid proof"),
        ({"fee": 0}, "invalid proof"),
        ({"nullifier": 1}, "invalid proof"),
        ({"recipient": NOBODY}, "zero recipient"),
        ({"fee": AMOUNT + 1}, "fee above amount"),
        ({"nullifier": FIELD_ORDER}, "nullifier out of field"),
        ({"nullifier": 2**256 - 1}, "nullifier out of field"),
    ],
)
def test_altered_terms_spoil_the_batch(
    peopled: World, change: dict[str, int | str], reason: str
) -> None:
    claims = crowd()[:3]
    claims[2] = replace(claims[2], **change)  # type: ignore[arg-type]
    with refused(f"distributor: {reason}"):
        Batch.of(peopled, claims).send(peopled)


@pytest.mark.parametrize("relayer", [STRANGER, NOBODY])
def test_a_batch_cannot_be_turned_to_another_relayer(peopled: World, relayer: str) -> None:
    claims = [replace(claim, relayer=relayer) for claim in crowd()[:3]]
    reason = "fee without relayer" if relayer == NOBODY else "invalid proof"
    with refused(f"distributor: {reason}"):
        Batch.of(peopled, claims).send(peopled)


def test_whoever_copies_a_batch_pays_the_gas_for_its_relayer(peopled: World) -> None:
    Batch.of(peopled, crowd()[:3]).send(peopled, sender="0x" + "ee" * 20)
    assert peopled.balance(RELAYER) == 3 * CROWD_FEE
    assert peopled.balance("0x" + "ee" * 20) == 0


def test_two_lies_that_cancel_in_a_plain_sum_do_not(peopled: World) -> None:
    """(-A, B) for one and its twin for the other cancel only with weights known beforehand."""
    first, second = crowd()[:2]
    swapped = [
        replace(first, points=(*first.points[:6], *second.points[6:])),
        replace(second, points=(*second.points[:6], *first.points[6:])),
    ]
    with refused("distributor: invalid proof"):  # C swapped: the plain sum of C is unchanged
        Batch.of(peopled, swapped).send(peopled)
    opposite = [
        replace(first, nullifier=(first.nullifier + 1) % FIELD_ORDER),
        replace(second, nullifier=(second.nullifier - 1) % FIELD_ORDER),
    ]
    with refused("distributor: invalid proof"):  # the plain sum of nullifiers is unchanged
        Batch.of(peopled, opposite).send(peopled)
    with refused("distributor: invalid proof"):
        Batch.of(peopled, [negated(first, 1), negated(second, 1)]).send(peopled)


def test_weights_of_other_inputs_do_not_fit(peopled: World) -> None:
    """An adversary who draws weights before the inputs are final has drawn others."""
    claims = crowd()[:3]
    for earlier in (claims[:2], claims[::-1], [*claims, crowd()[3]], [negated(claims[0], 1)]):
        folded = Batch.of(peopled, earlier).folded
        with refused("distributor: invalid proof"):
            replace(Batch.of(peopled, claims), folded=folded).send(peopled)
    folded = Batch.of(peopled, claims, root=CROWD_GROUP.root + 1).folded
    with refused("distributor: invalid proof"):
        replace(Batch.of(peopled, claims), folded=folded).send(peopled)


def test_a_twin_of_a_proof_pays_nobody_twice(peopled: World) -> None:
    claim = crowd()[0]
    twin = negated(claim, 1, 4, 5)
    assert outcome(Batch.of(peopled, [twin, claim]).send(peopled).events) == [
        "paid",
        "already claimed",
    ]


def test_a_batch_is_for_one_epoch_chain_and_contract(peopled: World) -> None:
    claims = crowd()[:2]
    peopled.distributor.transact("openEpoch")
    peopled.enter_epoch(1)
    with refused("distributor: invalid proof"):
        Batch.of(peopled, [replace(claim, epoch=1) for claim in claims]).send(peopled)

    other = deploy_distributor(peopled.chain, peopled.registry, peopled.token.address)
    there = replace(peopled, distributor=other)
    there.fund(2 * AMOUNT)
    with refused("distributor: invalid proof"):
        Batch.of(there, [replace(claim, epoch=1) for claim in claims]).send(there)

    elsewhere = build_world(chain_id=CHAIN_ID + 1)
    enroll_crowd(elsewhere)
    elsewhere.fund(2 * AMOUNT)
    with refused("distributor: invalid proof"):
        Batch.of(elsewhere, claims).send(elsewhere)


def test_a_batch_can_be_late_but_not_too_late(peopled: World) -> None:
    peopled.distributor.transact("openEpoch")
    peopled.enter_epoch(LATE_EPOCHS)
    assert outcome(Batch.of(peopled, crowd()[:2]).send(peopled).events) == ["paid", "paid"]
    peopled.enter_epoch(LATE_EPOCHS + 1)
    with refused("distributor: epoch not claimable"):
        Batch.of(peopled, crowd()[2:4]).send(peopled)


def test_an_epoch_without_root_pays_no_batch(peopled: World) -> None:
    peopled.enter_epoch(1)
    with refused("distributor: epoch never opened"):
        Batch.of(peopled, crowd()[:2]).send(peopled)
    with refused("distributor: epoch not claimable"):
        Batch.of(peopled, [replace(crowd()[0], epoch=2)]).send(peopled)


def test_a_poor_pool_pays_some_and_keeps_the_rights_of_the_rest() -> None:
    world = build_world()
    enroll_crowd(world)
    world.fund(2 * AMOUNT + AMOUNT // 2)
    claims = crowd()[:4]

    events = Batch.of(world, claims).send(world).events

    assert outcome(events) == ["paid", "paid", "pool too low", "pool too low"]
    assert world.pool == AMOUNT // 2
    world.fund(2 * AMOUNT)
    assert outcome(Batch.of(world, claims[2:]).send(world).events) == ["paid", "paid"]


@pytest.mark.slow
def test_a_recipient_who_refuses_costs_the_others_nothing(claims: Claims) -> None:
    """The pool itself takes no payment; what else refuses is tried in `test_money`."""
    world = build_world()
    enroll_members(world)
    world.fund(3 * AMOUNT)
    refusing = claims.of(1, recipient=world.distributor.address)
    batch = [claims.of(0), refusing, claims.of(2)]

    events = Batch.of(world, batch).send(world).events

    assert outcome(events) == ["paid", "transfer failed", "paid"]
    assert world.pool == AMOUNT
    assert not world.distributor.call("isClaimed", 0, refusing.nullifier)
    claims.of(1).send(world.distributor, sender=STRANGER)
    assert world.pool == 0
