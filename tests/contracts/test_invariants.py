"""Any order of claims, openings, donations and updates: nobody is paid twice, no coin is lost."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.contracts.chain import RevertedError
from tests.contracts.claims import GROUP, RECIPIENTS, RELAYER, Claim, Claims, enroll_members
from tests.contracts.world import (
    AMOUNT,
    EPOCH_LENGTH,
    GENESIS,
    LATE_EPOCHS,
    STRANGER,
    build_world,
)

EPOCHS = 3
FEE = AMOUNT // 100
STRANGERS_ROOT = 99  # of a group without our members

SETTINGS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

members = st.integers(0, 1)
epochs = st.integers(0, EPOCHS - 1)


class DistributorMachine(RuleBasedStateMachine):
    """Compares the contract with a model of what it promises."""

    def __init__(self, claims: Claims) -> None:
        super().__init__()
        self.claims = claims
        self.world = build_world()
        enroll_members(self.world)
        self.current_root = GROUP.root
        self.frozen: dict[int, int] = {}
        self.paid: Counter[tuple[int, int]] = Counter()  # (member, epoch) -> times
        self.funded = 0

    @property
    def epoch(self) -> int:
        return (self.world.chain.now - GENESIS) // EPOCH_LENGTH

    @property
    def pool(self) -> int:
        return self.funded - AMOUNT * self.paid.total()

    @rule(seconds=st.integers(1, EPOCH_LENGTH))
    def wait(self, seconds: int) -> None:
        self.world.chain.now += seconds

    @rule(tokens=st.integers(1, 2 * AMOUNT))
    def fund(self, tokens: int) -> None:
        self.world.fund(tokens)
        self.funded += tokens

    @rule()
    def replace_all_members(self) -> None:
        """The registry moves to another group's root, or back."""
        root = STRANGERS_ROOT if self.current_root == GROUP.root else GROUP.root
        registry = self.world.registry
        size = registry.call("size")
        self.world.post(self.current_root, root, size, [1], [])
        self.current_root = root

    @rule()
    def open_epoch(self) -> None:
        root = self.world.distributor.transact("openEpoch").returned
        assert root == self.frozen.setdefault(self.epoch, self.current_root)

    @rule(member=members, epoch=epochs)
    def claim(self, member: int, epoch: int) -> None:
        claim = self._claim(member, epoch)
        frozen = {self.epoch: self.current_root} | self.frozen
        payable = (
            0 <= self.epoch - epoch <= LATE_EPOCHS
            and frozen.get(epoch) == GROUP.root
            and not self.paid[member, epoch]
            and self.pool >= AMOUNT
        )
        if payable:
            claim.send(self.world.distributor, sender=STRANGER)
            self.frozen = frozen
            self.paid[member, epoch] += 1
        else:
            self._refused(claim)

    @rule(member=members, epoch=epochs, other=epochs)
    def claim_with_the_proof_of_another_epoch(self, member: int, epoch: int, other: int) -> None:
        if epoch != other:
            self._refused(replace(self._claim(member, epoch), epoch=other))

    @rule(member=members, epoch=epochs)
    def claim_for_somebody_else(self, member: int, epoch: int) -> None:
        self._refused(replace(self._claim(member, epoch), recipient=STRANGER))

    @invariant()
    def what_was_paid_is_what_was_claimed(self) -> None:
        paid = sum(self.world.balance(owner) for owner in (*RECIPIENTS, RELAYER))
        assert paid == AMOUNT * self.paid.total()
        assert self.world.pool == self.pool >= 0
        assert self.world.balance(STRANGER) == 0

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        for member in range(2):
            for epoch in range(EPOCHS):
                spent = self.world.distributor.call(
                    "isClaimed", epoch, self._claim(member, epoch).nullifier
                )
                assert self.paid[member, epoch] == int(spent)

    @invariant()
    def an_epoch_keeps_its_root(self) -> None:
        for epoch in range(EPOCHS):
            root = self.world.distributor.call("epochRoot", epoch)
            assert root == self.frozen.get(epoch, 0)

    def _claim(self, member: int, epoch: int) -> Claim:
        if member == 0:
            return self.claims.of(0, epoch=epoch)
        return self.claims.of(1, epoch=epoch, fee=FEE, relayer=RELAYER)

    def _refused(self, claim: Claim) -> None:
        with pytest.raises(RevertedError, match="distributor: "):
            claim.send(self.world.distributor, sender=STRANGER)


@pytest.mark.slow
def test_no_sequence_pays_more_than_it_should(claims: Claims) -> None:
    class Machine(DistributorMachine):
        def __init__(self) -> None:
            super().__init__(claims)

    run_state_machine_as_test(Machine, settings=SETTINGS)
