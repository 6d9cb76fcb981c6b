"""The public audit: a system in order, and each thing that could be wrong, named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from distribution.attestation import NO_CHECKPOINT
from distribution.public_audit import GRACE, Verdict, audit
from distribution.record import ChainRecord, Epoch, Payment, Update
from identity_proofs.group import Group
from tests.decision_logs import HOUR, Log, log_of_key
from transparency.entry import Kind
from transparency.mirror import LogCopy

NOW = HOUR + 30 * 24 * 3600


class World:
    """Log and chain as they are when all goes well; tests spoil them."""

    def __init__(self) -> None:
        self.log = Log()
        self.group = Group()
        self.record = ChainRecord(
            block=9,
            time=NOW,
            root=0,
            size=0,
            updates=(),
            epochs=(),
            payments=(),
            received=100,
            migrated=0,
            pool=100,
            exact=True,
        )
        self.log.accept(11, 12, 13)
        self.log.write(Kind.DUPLICATE)
        self.post(11, 12, 13)
        self.open_epoch(0, amount=5)
        self.pay(0, 101, 102)
        self.held = [self.log.copy().note]
        self.log.remove(12)
        self.log.accept(14, kind=Kind.RECOVERY)
        self.post(14, removals=(1,))
        self.open_epoch(1, amount=7)
        self.pay(1, 101)
        self.held.append(self.log.copy().note)

    def post(self, *commitments: int, removals: tuple[int, ...] = (), checkpoint=None) -> None:
        previous, first = self.group.root, self.group.size
        self.group.insert_many(commitments)
        for leaf in removals:
            self.group.remove(leaf)
        digest = self.log.digest if checkpoint is None else checkpoint
        update = Update(previous, self.group.root, first, commitments, removals, digest)
        self.change(
            updates=(*self.record.updates, update), root=self.group.root, size=self.group.size
        )

    def open_epoch(self, number: int, amount: int) -> None:
        self.change(epochs=(*self.record.epochs, Epoch(number, self.group.root, amount)))

    def pay(self, epoch: int, *nullifiers: int) -> None:
        amount = self.record.epochs[epoch].amount
        payments = tuple(Payment(epoch, nullifier, amount, 1) for nullifier in nullifiers)
        pool = self.record.pool - amount * len(payments)
        self.change(payments=self.record.payments + payments, pool=pool)

    def change(self, **changes: object) -> None:
        self.record = replace(self.record, **changes)

    def audit(self, copy: LogCopy | None = None, **options: int) -> Verdict:
        held = self.held
        return audit(copy or self.log.copy(), self.log.key, self.record, held=held, **options)


def test_a_system_in_order() -> None:
    verdict = World().audit()
    assert (verdict.finding, len(verdict.checks)) == (None, 9)
    details = [check.detail for check in verdict.checks]
    assert details[0] == "6 entries, 4 acceptances, 1 removals"
    assert details[2].startswith("3 members, 1 removed")
    assert details[7] == "3 claims in 2 epochs"


def test_nothing_at_all_is_in_order() -> None:
    empty = replace(World().record, root=0, size=0, updates=(), epochs=(), payments=(), pool=100)
    assert audit(Log().copy(), Log().key, empty).finding is None


def drop_a_leaf(world: World) -> LogCopy:
    copy = world.log.copy()
    return replace(copy, leaves=[*copy.leaves[:3], *copy.leaves[4:]])


def reorder(world: World) -> LogCopy:
    copy = world.log.copy()
    return replace(copy, leaves=[copy.leaves[1], copy.leaves[0], *copy.leaves[2:]])


def fork(world: World) -> LogCopy:
    """Another history under the same key, which never refused anybody."""
    world.log = Log()
    world.log.accept(11, 12, 13)
    world.log.remove(12)
    world.log.accept(14, kind=Kind.RECOVERY)
    world.log.write(Kind.REVIEW)
    return world.log.copy()


def begin_anew(world: World) -> LogCopy:
    world.log = Log()
    world.log.accept(11, 12, 13)
    return world.log.copy()


def sign_with_another_key(world: World) -> LogCopy:
    return replace(world.log.copy(), note=log_of_key(b"s" * 32).copy().note)


def hold_what_others_signed(world: World) -> None:
    world.held = [log_of_key(b"s" * 32).copy().note]


def invent_a_member(world: World) -> None:
    world.post(66)


def remove_without_a_word(world: World) -> None:
    world.post(removals=(0,))


def accept_and_keep_back(world: World) -> None:
    world.log.accept(15)


def remove_in_the_log_alone(world: World) -> None:
    world.log.remove(11)


def post_before_deciding(world: World) -> None:
    world.post(15)
    world.log.accept(15)


def remove_before_deciding(world: World) -> None:
    world.post(removals=(0,))
    world.log.remove(11)


def join_before_leaving(world: World) -> None:
    """The new wallet of a recovery is posted first, the old one leaves with the next update."""
    world.log.remove(11)
    world.log.accept(15, kind=Kind.RECOVERY)
    world.post(15)
    world.post(removals=(0,))


def stay_behind(world: World) -> None:
    world.log.remove(11)
    world.log.accept(15)
    world.post(15)


def name_a_strange_checkpoint(world: World) -> None:
    world.log.accept(15)
    world.post(15, checkpoint=b"\x01" * 32)


def spoil_update(**changes: object) -> Callable[[World], None]:
    def spoil(world: World) -> None:
        *rest, last = world.record.updates
        world.change(updates=(*rest, replace(last, **changes)))

    return spoil


def spoil(**changes: object) -> Callable[[World], None]:
    return lambda world: world.change(**changes)


def pay_a_stranger(world: World) -> None:
    world.pay(1, 101)


def pay_too_many(world: World) -> None:
    world.pay(0, 103, 104)


def pay_before_opening(world: World) -> None:
    world.change(payments=(*world.record.payments, Payment(5, 1, 5, 0)))


def pay_too_much(world: World) -> None:
    world.change(payments=(*world.record.payments, Payment(1, 5, 8, 0)))


def invent_an_epoch(world: World) -> None:
    world.change(epochs=(*world.record.epochs, Epoch(2, 5, 5)))


TAMPERED: dict[str, list[Callable[[World], LogCopy | None]]] = {
    "log_root_wrong": [drop_a_leaf, reorder],
    "log_signature_wrong": [sign_with_another_key, hold_what_others_signed],
    "log_forked": [fork],
    "log_truncated": [begin_anew],
    "member_without_decision": [invent_a_member],
    "removal_without_decision": [remove_without_a_word],
    "acceptance_never_arrived": [accept_and_keep_back],
    "removal_never_arrived": [remove_in_the_log_alone],
    "decision_after_root": [post_before_deciding, remove_before_deciding],
    "removal_late": [join_before_leaving, stay_behind],
    "checkpoint_unknown": [name_a_strange_checkpoint],
    "member_count_wrong": [spoil(size=5), spoil(size=3), spoil_update(first_index=4)],
    "group_root_wrong": [
        spoil(root=5),
        spoil_update(root=5),
        spoil_update(commitments=(15,)),
        spoil_update(commitments=(0,)),
        spoil_update(removals=(2,)),
        spoil_update(removals=(9,)),
        spoil_update(removals=(1, 1)),
    ],
    "member_twice": [spoil_update(commitments=(11,)), spoil_update(commitments=(14, 14))],
    "epoch_root_wrong": [invent_an_epoch],
    "claim_paid_twice": [pay_a_stranger],
    "claims_exceed_members": [pay_too_many],
    "claim_without_epoch": [pay_before_opening],
    "claim_amount_wrong": [pay_too_much],
    "pool_wrong": [spoil(pool=84), spoil(pool=82), spoil(received=99), spoil(migrated=1)],
}


@pytest.mark.parametrize(
    ("finding", "tamper"), [(code, tamper) for code, ways in TAMPERED.items() for tamper in ways]
)
def test_what_is_wrong_is_named(finding: str, tamper: Callable[[World], LogCopy | None]) -> None:
    world = World()
    assert world.audit(tamper(world)).finding == finding


def test_decisions_may_be_under_way_for_a_while() -> None:
    world = World()
    hour = (NOW - GRACE) // 3600 * 3600 + 3600
    world.log.accept(15, hour=hour)
    world.log.remove(11, hour=hour)
    verdict = world.audit()
    assert verdict.finding is None
    assert verdict.checks[6].detail == "2 under way"
    assert world.audit(grace=GRACE - 2 * 3600).finding == "acceptance_never_arrived"


def test_whoever_leaves_before_arriving_need_not_arrive() -> None:
    world = World()
    world.log.accept(15)
    world.log.remove(15)
    assert world.audit().finding is None


def test_roots_from_before_the_log_name_no_checkpoint() -> None:
    world = World()
    world.log.accept(15)
    world.post(15, checkpoint=NO_CHECKPOINT)
    verdict = world.audit()
    assert verdict.finding is None
    assert verdict.checks[4].detail == "2 name one, 1 name none"


def test_coins_that_came_without_a_word_are_no_fault_of_the_native_pool() -> None:
    world = World()
    world.change(exact=False, pool=world.record.pool + 1)
    assert world.audit().finding is None
    world.change(pool=world.record.pool - 2)
    assert world.audit().finding == "pool_wrong"


def test_every_finding_is_documented() -> None:
    from distribution import public_audit

    drawn = public_audit.__doc__ or ""
    assert all(f"    {code} " in drawn for code in TAMPERED)
