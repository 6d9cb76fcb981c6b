import pytest

from tests.contracts.chain import CHAIN_ID, Event, refused
from tests.contracts.claims import GROUP, RECIPIENTS, RELAYER, message_of, scope_of
from tests.contracts.world import (
    AMOUNT,
    EPOCH_LENGTH,
    GENESIS,
    LATE_EPOCHS,
    MIGRATION_DELAY,
    NOBODY,
    STRANGER,
    World,
    build_world,
    deploy,
    deploy_distributor,
)

NO_POINTS = [0] * 8


def test_parameters_can_be_read(world: World) -> None:
    expected = {
        "registry": world.registry.address,
        "token": world.token.address,
        "amount": AMOUNT,
        "genesis": GENESIS,
        "epochLength": EPOCH_LENGTH,
        "lateEpochs": LATE_EPOCHS,
        "share": 0,
        "leastClaimants": 0,
        "migrationDelay": MIGRATION_DELAY,
        "payableNow": world.pool,
    }
    assert {name: world.distributor.call(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("seconds", "epoch"),
    [(0, 0), (1, 0), (EPOCH_LENGTH - 1, 0), (EPOCH_LENGTH, 1), (1000 * EPOCH_LENGTH, 1000)],
)
def test_epochs_are_counted_from_genesis(world: World, seconds: int, epoch: int) -> None:
    world.chain.now = GENESIS + seconds
    assert world.distributor.call("currentEpoch") == epoch


def test_there_is_no_epoch_before_genesis(world: World) -> None:
    world.chain.now = GENESIS - 1
    with refused("distributor: before genesis"):
        world.distributor.call("currentEpoch")
    with refused("distributor: before genesis"):
        world.distributor.transact("openEpoch")
    with refused("distributor: before genesis"):
        claim_without_proof(world, 0)


def test_ends_of_epochs_and_of_their_claims(world: World) -> None:
    assert world.distributor.call("epochEnds", 0) == GENESIS + EPOCH_LENGTH
    assert world.distributor.call("epochEnds", 7) == GENESIS + 8 * EPOCH_LENGTH
    assert world.distributor.call("claimsEnd", 7) == GENESIS + (8 + LATE_EPOCHS) * EPOCH_LENGTH


def test_anybody_opens_an_epoch_and_twice_is_once(world: World) -> None:
    first = world.distributor.transact("openEpoch", sender=STRANGER)
    second = world.distributor.transact("openEpoch", sender=STRANGER)

    assert first.events == [
        Event("EpochOpened", {"epoch": 0, "root": GROUP.root, "amount": AMOUNT})
    ]
    assert second.events == []
    assert first.returned == second.returned == world.distributor.call("epochRoot", 0) == GROUP.root


def test_an_open_epoch_keeps_its_root(world: World) -> None:
    world.distributor.transact("openEpoch")
    world.post(GROUP.root, 99, 3, [], [0])

    assert world.distributor.transact("openEpoch").returned == GROUP.root

    world.enter_epoch(1)
    assert world.distributor.transact("openEpoch").returned == 99
    assert world.distributor.call("epochRoot", 0) == GROUP.root


def test_an_empty_registry_opens_no_epoch() -> None:
    world = build_world()
    with refused("distributor: registry has no members"):
        world.distributor.transact("openEpoch")
    with refused("distributor: registry has no members"):
        claim_without_proof(world, 0)
    assert world.distributor.call("epochRoot", 0) == 0


def test_an_epoch_nobody_opened_pays_nobody(world: World) -> None:
    world.enter_epoch(1)
    with refused("distributor: epoch never opened"):
        claim_without_proof(world, 0)


@pytest.mark.parametrize("epoch", [2, 2**256 - 1])
def test_the_future_cannot_be_claimed(world: World, epoch: int) -> None:
    world.enter_epoch(1)
    with refused("distributor: epoch not claimable"):
        claim_without_proof(world, epoch)


def test_scope_is_that_of_the_protocol(world: World) -> None:
    expected = scope_of(CHAIN_ID, world.distributor.address, 7)
    assert world.distributor.call("scope", 7) == expected


def test_message_is_that_of_the_protocol(world: World) -> None:
    terms = (RECIPIENTS[0], 5, RELAYER)
    assert world.distributor.call("message", *terms) == message_of(*terms)


def test_a_refused_claim_opens_nothing(world: World) -> None:
    with refused("distributor: invalid proof"):
        claim_without_proof(world, 0)
    assert world.distributor.call("epochRoot", 0) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"registry": STRANGER}, "registry is no contract"),
        ({"token": STRANGER}, "token is no contract"),
        ({"epochLength": 0}, "zero epoch length"),
        ({"amount": 0}, "no single policy"),
        ({"share": 1, "leastClaimants": 1}, "no single policy"),
        ({"leastClaimants": 1}, "share out of range"),
        ({"amount": 0, "share": 1}, "share out of range"),
        ({"amount": 0, "share": 10**18, "leastClaimants": 1}, "share out of range"),
        ({"migrationDelay": MIGRATION_DELAY - 1}, "migration delay too short"),
    ],
)
def test_senseless_terms_are_not_deployed(
    world: World, change: dict[str, str | int], reason: str
) -> None:
    sound: dict[str, str | int] = {
        "registry": world.registry.address,
        "token": world.token.address,
        "genesis": GENESIS,
        "epochLength": EPOCH_LENGTH,
        "lateEpochs": LATE_EPOCHS,
        "amount": AMOUNT,
        "share": 0,
        "leastClaimants": 0,
        "migrationDelay": MIGRATION_DELAY,
    }
    registry, token, *terms = (sound | change).values()
    with refused(f"distributor: {reason}"):
        deploy(world.chain, "UbiDistributor", registry, token, tuple(terms))


def test_every_deployment_has_its_own_scope(world: World) -> None:
    other = deploy_distributor(world.chain, world.registry, world.token.address)
    elsewhere = build_world(chain_id=CHAIN_ID + 1).distributor
    assert elsewhere.address == world.distributor.address
    scopes = {d.call("scope", 0) for d in (world.distributor, other, elsewhere)}
    assert len(scopes) == 3


def claim_without_proof(world: World, epoch: int) -> None:
    world.distributor.transact("claim", epoch, RECIPIENTS[0], 0, NOBODY, 1, NO_POINTS)
