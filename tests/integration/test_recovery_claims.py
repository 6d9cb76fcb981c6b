"""No order of claims, recovery and late claims pays one person twice in one epoch.

The contracts are the real ones, the proofs too. The updates are those that the publisher's rule
makes of a history of members in which one wallet was replaced by another.
"""

from collections.abc import Iterator
from itertools import permutations

import pytest

from distribution.publisher import Change, _joining
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from tests.contracts.chain import RevertedError
from tests.contracts.claims import Claim, message_of, scope_of
from tests.contracts.world import AMOUNT, NOBODY, STRANGER, World, build_world

pytestmark = pytest.mark.slow

OLD, NEW, NEIGHBOUR = (Identity.from_private_key(name) for name in (b"old", b"new", b"neighbour"))
BEFORE = Group([NEIGHBOUR.commitment, OLD.commitment])
AFTER = Group([NEIGHBOUR.commitment, OLD.commitment])
AFTER.remove(1)
AFTER.insert(NEW.commitment)
PAYEE = {OLD: "0x" + "11" * 20, NEW: "0x" + "22" * 20}
RECOVERY_EPOCH = 1
"""The person recovers in the middle of epoch 1, when its root is frozen already."""


@pytest.fixture(scope="module")
def claims(prover: Prover) -> dict[tuple[str, int], Claim]:
    """Everything that either wallet can prove for three epochs, of either group."""
    world = build_world()

    def prove(wallet: Identity, group: Group, epoch: int) -> Claim:
        proof = prover.prove(
            wallet,
            group.proof(group.index_of(wallet.commitment)),
            scope=scope_of(world.chain.chain_id, world.distributor.address, epoch),
            message=message_of(PAYEE[wallet], 0, NOBODY),
        )
        return Claim(epoch, PAYEE[wallet], 0, NOBODY, proof.nullifier, proof.points)

    made = {("old", epoch): prove(OLD, BEFORE, epoch) for epoch in range(3)}
    return made | {("new", epoch): prove(NEW, AFTER, epoch) for epoch in range(3)}


def history(*, recovered: bool) -> Iterator[tuple[Group, list[int], list[int]]]:
    """The updates that lead to the group before, or after, the recovery."""
    additions = [Change(wallet.commitment, 0) for wallet in (NEIGHBOUR, OLD, NEW)]
    removals = [Change(OLD.commitment, 0)]
    group = Group([])
    for known in (2, 3) if recovered else (2,):
        accepted = additions[group.size : known]
        gone = removals if known == 3 else []
        joining = [c.commitment for c in _joining(accepted, gone, 512)]
        leaving = [group.index_of(c.commitment) for c in gone if c.commitment in group]
        group = Group(list(group.members))
        for place in leaving:
            group.remove(place)
        group.insert_many(joining)
        yield group, joining, leaving


def world_at_recovery() -> World:
    """Epochs 0 and 1 are open with the old wallet; the update of the recovery is posted in 1."""
    world = build_world()
    world.fund(100 * AMOUNT)
    before, after = history(recovered=True)
    assert (before[0].root, after[0].root) == (BEFORE.root, AFTER.root)
    world.post(0, before[0].root, 0, *before[1:])
    for epoch in (0, RECOVERY_EPOCH):
        world.enter_epoch(epoch)
        world.distributor.transact("openEpoch", sender=STRANGER)
    world.post(before[0].root, after[0].root, 2, *after[1:])
    world.enter_epoch(RECOVERY_EPOCH + 1)
    world.distributor.transact("openEpoch", sender=STRANGER)
    return world


def paid(world: World, claim: Claim) -> bool:
    try:
        claim.send(world.distributor, sender=STRANGER)
    except RevertedError:
        return False
    return True


def test_each_epoch_pays_the_wallet_that_its_root_holds(
    claims: dict[tuple[str, int], Claim],
) -> None:
    world = world_at_recovery()
    told = {name: paid(world, claim) for name, claim in claims.items()}
    assert told == {
        ("old", 0): True,
        ("old", 1): True,  # late, of the epoch in which it was replaced
        ("old", 2): False,
        ("new", 0): False,
        ("new", 1): False,
        ("new", 2): True,
    }


@pytest.mark.parametrize(
    "order", list(permutations([("old", 1), ("new", 1), ("old", 2), ("new", 2)]))
)
def test_no_order_pays_an_epoch_twice(
    claims: dict[tuple[str, int], Claim], order: tuple[tuple[str, int], ...]
) -> None:
    world = world_at_recovery()
    by_epoch = {1: 0, 2: 0}
    for name in (*order, *order):  # each again: a spent nullifier stays spent
        by_epoch[name[1]] += paid(world, claims[name])
    assert by_epoch == {1: 1, 2: 1}
    assert sum(map(world.balance, PAYEE.values())) == 2 * AMOUNT
