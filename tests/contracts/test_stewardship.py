"""What the attesters may do to the pool, and what they may not."""

import pytest

from distribution.attestation import TypedMessage, attester_change, migration, pause, sign_sorted
from tests.contracts.chain import CHAIN_ID, Event, RevertedError, refused
from tests.contracts.claims import CROWD_GROUP, Batch, enroll_crowd, read_crowd_claims
from tests.contracts.world import (
    AMOUNT,
    ATTESTERS,
    EPOCH_LENGTH,
    LATE_EPOCHS,
    MIGRATION_DELAY,
    NOBODY,
    STRANGER,
    World,
    build_world,
    deploy_distributor,
    deploy_test_contract,
)

DESTINATION = "0x" + "de" * 20
LATE_WINDOW = (LATE_EPOCHS + 1) * EPOCH_LENGTH


@pytest.fixture
def peopled() -> World:
    """Epoch 0, opened, the crowd enrolled, a pool for ten claims."""
    world = build_world()
    enroll_crowd(world)
    world.fund(10 * AMOUNT)
    world.distributor.transact("openEpoch")
    return world


def claim(world: World, member: int) -> None:
    read_crowd_claims()[member].send(world.distributor, sender=STRANGER)


def test_a_pause_stops_claims(peopled: World) -> None:
    receipt = peopled.set_paused(True)

    assert receipt.events == [Event("Paused", {"since": peopled.chain.now})]
    assert peopled.distributor.call("pausedSince") == peopled.chain.now
    with refused("distributor: paused"):
        claim(peopled, 0)
    with refused("distributor: paused"):
        Batch.of(peopled, read_crowd_claims()[:2]).send(peopled)

    peopled.chain.now += 60
    assert peopled.set_paused(False).events == [Event("Resumed", {"pausedSeconds": 60})]
    claim(peopled, 0)


def test_a_pause_costs_nobody_a_late_claim(peopled: World) -> None:
    end = peopled.distributor.call("claimsEnd", 0)
    peopled.chain.now = end - 10
    peopled.set_paused(True)
    peopled.chain.now += 5 * LATE_WINDOW
    assert peopled.distributor.call("claimsEnd", 0) == end + 5 * LATE_WINDOW
    peopled.set_paused(False)

    peopled.chain.now += 9
    claim(peopled, 0)
    peopled.chain.now += 1
    with refused("distributor: epoch not claimable"):
        claim(peopled, 1)


def test_pauses_add_up_from_the_opening_on(peopled: World) -> None:
    for _ in range(3):
        peopled.set_paused(True)
        peopled.chain.now += 100
        peopled.set_paused(False)
        peopled.chain.now += 10
    assert peopled.distributor.call("claimsEnd", 0) - _unpaused_end(peopled, 0) == 300

    peopled.enter_epoch(1)
    peopled.distributor.transact("openEpoch")
    assert peopled.distributor.call("claimsEnd", 1) == _unpaused_end(peopled, 1)


def test_an_epoch_opens_in_a_pause_and_counts_what_is_left_of_it(peopled: World) -> None:
    peopled.set_paused(True)
    peopled.enter_epoch(1)
    assert peopled.distributor.transact("openEpoch").returned == CROWD_GROUP.root
    assert peopled.distributor.call("claimsEnd", 1) == _unpaused_end(peopled, 1)
    peopled.chain.now += 500
    peopled.set_paused(False)
    assert peopled.distributor.call("claimsEnd", 1) == _unpaused_end(peopled, 1) + 500


def test_a_pause_stops_no_donation(peopled: World) -> None:
    peopled.set_paused(True)
    peopled.token.transact("mint", STRANGER, AMOUNT)
    peopled.token.transact("approve", peopled.distributor.address, AMOUNT, sender=STRANGER)
    peopled.distributor.transact("donate", AMOUNT, sender=STRANGER)
    assert peopled.pool == 11 * AMOUNT


@pytest.mark.parametrize("paused", [True, False])
def test_nothing_is_paused_or_resumed_twice(peopled: World, paused: bool) -> None:
    if paused:
        peopled.set_paused(True)
    with refused("distributor: unchanged"):
        peopled.set_paused(paused)


def test_a_migration_takes_its_time_and_says_where_to(peopled: World) -> None:
    receipt = peopled.announce_migration(DESTINATION)

    due = peopled.chain.now + MIGRATION_DELAY
    announced = {"destination": DESTINATION, "due": due}
    assert receipt.events == [Event("MigrationAnnounced", announced)]
    assert peopled.distributor.call("destination") == DESTINATION
    claim(peopled, 0)
    peopled.chain.now = due - 1
    with refused("distributor: migration not due"):
        peopled.distributor.transact("migrate")
    peopled.chain.now = due
    events = peopled.distributor.transact("migrate", sender=STRANGER).events

    moved = {"destination": DESTINATION, "amount": 9 * AMOUNT}
    assert events == [Event("Migrated", moved)]
    assert (peopled.balance(DESTINATION), peopled.pool) == (9 * AMOUNT, 0)
    with refused("distributor: nowhere to migrate"):
        peopled.distributor.transact("migrate")


def test_whoever_has_a_right_at_the_announcement_can_use_it(peopled: World) -> None:
    assert peopled.distributor.call("claimsEnd", 0) - peopled.chain.now <= MIGRATION_DELAY


def test_a_migration_can_be_taken_back_and_begins_anew(peopled: World) -> None:
    peopled.announce_migration(DESTINATION)
    peopled.chain.now += MIGRATION_DELAY - 1
    peopled.announce_migration(STRANGER)
    peopled.chain.now += 1
    with refused("distributor: migration not due"):
        peopled.distributor.transact("migrate")
    peopled.announce_migration(NOBODY)
    peopled.chain.now += 2 * MIGRATION_DELAY
    with refused("distributor: nowhere to migrate"):
        peopled.distributor.transact("migrate")


def test_the_pool_does_not_migrate_to_itself(peopled: World) -> None:
    with refused("distributor: nowhere to migrate"):
        peopled.announce_migration(peopled.distributor.address)


def test_a_destination_that_refuses_keeps_the_pool_where_it_is() -> None:
    world = build_world(native=True)
    world.fund(AMOUNT)
    wallet = deploy_test_contract(world.chain, "Wallet")
    wallet.transact("setMood", 1)
    world.announce_migration(wallet.address)
    world.chain.now += MIGRATION_DELAY
    with refused("distributor: transfer failed"):
        world.distributor.transact("migrate")
    wallet.transact("setMood", 0)
    world.distributor.transact("migrate")
    assert (world.balance(wallet.address), world.pool) == (AMOUNT, 0)


def sign_pause(
    world: World, *, chain_id: int = CHAIN_ID, attester_set: int = 1, action: int = 0
) -> TypedMessage:
    return pause(chain_id, world.distributor.address, attester_set, action, paused=True)


@pytest.mark.parametrize(
    ("signers", "reason"),
    [
        ([], "registry: too few signatures"),
        (ATTESTERS[:1], "registry: too few signatures"),
        (ATTESTERS[:1] * 2, "registry: signers not ascending"),
    ],
    ids=len,
)
def test_nobody_pauses_or_migrates_alone(
    peopled: World,
    signers: list,  # type: ignore[type-arg]
    reason: str,
) -> None:
    stop = sign_sorted(sign_pause(peopled), signers)
    with refused(reason):
        peopled.distributor.transact("setPaused", True, stop)
    move = migration(CHAIN_ID, peopled.distributor.address, 1, 0, DESTINATION)
    with refused(reason):
        peopled.distributor.transact("announceMigration", DESTINATION, sign_sorted(move, signers))


def test_a_signed_action_is_for_one_chain_contract_set_number_and_kind(peopled: World) -> None:
    other = deploy_distributor(peopled.chain, peopled.registry, peopled.token.address)
    elsewhere = pause(CHAIN_ID, other.address, 1, 0, paused=True)
    for message in (
        elsewhere,
        sign_pause(peopled, chain_id=CHAIN_ID + 1),
        sign_pause(peopled, attester_set=2),
        sign_pause(peopled, action=1),
        pause(CHAIN_ID, peopled.distributor.address, 1, 0, paused=False),
        migration(CHAIN_ID, peopled.distributor.address, 1, 0, DESTINATION),
    ):
        _refused(peopled, message)
    signatures = sign_sorted(sign_pause(peopled), ATTESTERS[:2])
    peopled.distributor.transact("setPaused", True, signatures)
    peopled.set_paused(False)
    _refused(peopled, sign_pause(peopled))


def test_what_a_replaced_set_signed_is_void(peopled: World) -> None:
    early = sign_pause(peopled)
    addresses = [attester.address for attester in ATTESTERS]
    handover = attester_change(CHAIN_ID, peopled.registry.address, 1, addresses, 2)
    signatures = sign_sorted(handover, ATTESTERS[:2])
    peopled.registry.transact("changeAttesters", addresses, 2, signatures)
    _refused(peopled, early)
    peopled.set_paused(True)


def _refused(world: World, message: TypedMessage) -> None:
    """Signatures of something else name anybody, in any order."""
    signatures = sign_sorted(message, ATTESTERS[:2])
    with pytest.raises(RevertedError, match=r"unknown signer|not ascending"):
        world.distributor.transact("setPaused", True, signatures)


def _unpaused_end(world: World, epoch: int) -> int:
    return int(world.distributor.call("epochEnds", epoch)) + LATE_EPOCHS * EPOCH_LENGTH
