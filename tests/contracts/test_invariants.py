"""Any order of claims, batches, openings, donations, pauses and updates keeps the promises.

Paid is claims times amount; a nullifier is paid at most once an epoch; the pool is never short;
a root is one that a quorum signed. More sequences than the test suite has time for:

    python -m tests.contracts.test_invariants 3000
"""

import sys
from collections import Counter
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from distribution.attestation import attester_change, sign_sorted
from identity_proofs.artifacts import load_artifacts
from identity_proofs.prover import Prover
from personhood.settings import Settings
from tests.contracts.chain import CHAIN_ID, RevertedError
from tests.contracts.claims import (
    GROUP,
    RECIPIENTS,
    RELAYER,
    Batch,
    Claim,
    Claims,
    enroll_members,
)
from tests.contracts.world import (
    AMOUNT,
    ATTESTERS,
    EPOCH_LENGTH,
    GENESIS,
    LATE_EPOCHS,
    QUORUM,
    STRANGER,
    build_world,
    post_update,
)

EPOCHS = 3
FEE = AMOUNT // 100
STRANGERS_ROOT = 99  # of a group without our members

SETTINGS = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

members = st.integers(0, 1)
epochs = st.integers(0, EPOCHS - 1)

POSSIBLE_ATTESTERS = sorted(
    [*ATTESTERS, *(Account.from_key(bytes([i]) * 32) for i in (4, 5))],
    key=lambda account: int(account.address, 16),
)
signer_lists = st.lists(
    st.sampled_from(range(len(POSSIBLE_ATTESTERS))), max_size=4, unique=True
).map(lambda picks: [POSSIBLE_ATTESTERS[pick] for pick in sorted(picks)])


class DistributorMachine(RuleBasedStateMachine):
    """Compares the contracts with a model of what they promise."""

    def __init__(self, claims: Claims, *, native: bool = False) -> None:
        super().__init__()
        self.claims = claims
        self.world = build_world(native=native)
        enroll_members(self.world)
        self.current_root = GROUP.root
        self.frozen: dict[int, int] = {}
        self.paid: Counter[tuple[int, int]] = Counter()  # (member, epoch) -> times
        self.funded = 0
        self.paused_since: int | None = None
        self.paused_before = 0
        self.paused_at_opening: dict[int, int] = {}

    @property
    def now(self) -> int:
        return self.world.chain.now

    @property
    def epoch(self) -> int:
        return (self.now - GENESIS) // EPOCH_LENGTH

    @property
    def pool(self) -> int:
        return self.funded - AMOUNT * self.paid.total()

    @property
    def paused_seconds(self) -> int:
        running = 0 if self.paused_since is None else self.now - self.paused_since
        return self.paused_before + running

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
        self.world.post(self.current_root, root, self.world.registry.call("size"), [1], [])
        self.current_root = root

    @rule(attester=st.sampled_from(ATTESTERS), times=st.integers(0, 2))
    def post_without_a_quorum(self, attester: LocalAccount, times: int) -> None:
        registry = self.world.registry
        with pytest.raises(RevertedError, match=r"registry: (too few|signers not)"):
            post_update(
                registry,
                self.current_root,
                STRANGERS_ROOT + 1,
                registry.call("size"),
                [1],
                [],
                by=[attester] * times,
            )

    @rule()
    def pause_or_resume(self) -> None:
        self.world.set_paused(self.paused_since is None)
        if self.paused_since is None:
            self.paused_since = self.now
        else:
            self.paused_before = self.paused_seconds
            self.paused_since = None

    @rule()
    def open_epoch(self) -> None:
        root = self.world.distributor.transact("openEpoch").returned
        self._note_opening()
        assert root == self.frozen[self.epoch]

    @rule(member=members, epoch=epochs)
    def claim(self, member: int, epoch: int) -> None:
        claim = self._claim(member, epoch)
        if self._claimable(epoch) and not self.paid[member, epoch] and self.pool >= AMOUNT:
            claim.send(self.world.distributor, sender=STRANGER)
            self._note_opening()
            self.paid[member, epoch] += 1
        else:
            self._refused(claim)

    @rule(order=st.lists(members, min_size=1, max_size=4), epoch=epochs)
    def claim_in_a_batch(self, order: list[int], epoch: int) -> None:
        relayed = [
            self.claims.of(member, epoch=epoch, fee=FEE, relayer=RELAYER) for member in order
        ]
        batch = Batch.of(self.world, relayed, root=GROUP.root)
        if not self._claimable(epoch):
            with pytest.raises(RevertedError, match="distributor: "):
                batch.send(self.world)
            return
        events = batch.send(self.world).events
        self._note_opening()
        outcomes = [e.args.get("reason", "paid") for e in events if "nullifier" in e.args]
        for member, outcome in zip(order, outcomes, strict=True):
            if self.paid[member, epoch]:
                assert outcome == "already claimed"
            elif self.pool < AMOUNT:
                assert outcome == "pool too low"
            else:
                assert outcome == "paid"
                self.paid[member, epoch] += 1

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
        assert all(times <= 1 for times in self.paid.values())
        for (member, epoch), times in self.paid.items():
            spent = self.world.distributor.call(
                "isClaimed", epoch, self._claim(member, epoch).nullifier
            )
            assert times == int(spent)

    @invariant()
    def roots_are_those_that_a_quorum_signed(self) -> None:
        assert self.world.registry.call("root") == self.current_root
        for epoch in range(EPOCHS):
            root = self.world.distributor.call("epochRoot", epoch)
            assert root == self.frozen.get(epoch, 0)

    def _claim(self, member: int, epoch: int) -> Claim:
        if member == 0:
            return self.claims.of(0, epoch=epoch)
        return self.claims.of(1, epoch=epoch, fee=FEE, relayer=RELAYER)

    def _claimable(self, epoch: int) -> bool:
        """Whether our members' proofs for `epoch` count now."""
        frozen = {self.epoch: self.current_root} | self.frozen
        paused = self.paused_seconds - self.paused_at_opening.get(epoch, self.paused_seconds)
        end = GENESIS + (epoch + 1 + LATE_EPOCHS) * EPOCH_LENGTH + paused
        return (
            self.paused_since is None
            and epoch <= self.epoch
            and self.now < end
            and frozen.get(epoch) == GROUP.root
        )

    def _note_opening(self) -> None:
        self.frozen.setdefault(self.epoch, self.current_root)
        self.paused_at_opening.setdefault(self.epoch, self.paused_seconds)

    def _refused(self, claim: Claim) -> None:
        with pytest.raises(RevertedError, match="distributor: "):
            claim.send(self.world.distributor, sender=STRANGER)


class RegistryMachine(RuleBasedStateMachine):
    """Any signers post, any signers replace the attesters: only a quorum is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = build_world().registry
        self.root, self.leaves = 0, 0
        self.attesters, self.quorum, self.version = list(ATTESTERS), QUORUM, 1

    @rule(signers=signer_lists, root=st.integers(0, 5), commitments=st.integers(0, 3))
    def post(self, signers: list[LocalAccount], root: int, commitments: int) -> None:
        sound = root not in {0, self.root} and commitments > 0 and self._is_quorum(signers)
        update = (self.root, root, self.leaves, list(range(1, commitments + 1)), [])
        if not sound:
            with pytest.raises(RevertedError, match="registry: "):
                post_update(self.registry, *update, by=signers)
            return
        post_update(self.registry, *update, by=signers)
        self.root, self.leaves = root, self.leaves + commitments

    @rule(signers=signer_lists, successors=signer_lists, quorum=st.integers(0, 3))
    def hand_over(
        self, signers: list[LocalAccount], successors: list[LocalAccount], quorum: int
    ) -> None:
        addresses = [account.address for account in successors]
        message = attester_change(CHAIN_ID, self.registry.address, self.version, addresses, quorum)
        arguments = (addresses, quorum, sign_sorted(message, signers))
        if not (self._is_quorum(signers) and 1 <= quorum <= len(successors)):
            with pytest.raises(RevertedError, match="registry: "):
                self.registry.transact("changeAttesters", *arguments)
            return
        self.registry.transact("changeAttesters", *arguments)
        self.attesters, self.quorum, self.version = successors, quorum, self.version + 1

    @invariant()
    def the_registry_is_as_the_quorums_left_it(self) -> None:
        state = [self.registry.call(name) for name in ("root", "size", "attesterSet", "quorum")]
        assert state == [self.root, self.leaves, self.version, self.quorum]
        assert self.quorum >= 1

    def _is_quorum(self, signers: list[LocalAccount]) -> bool:
        return len(signers) >= self.quorum and all(s in self.attesters for s in signers)


def machine_of(claims: Claims, *, native: bool) -> type[DistributorMachine]:
    class Machine(DistributorMachine):
        def __init__(self) -> None:
            super().__init__(claims, native=native)

    return Machine


@pytest.mark.slow
@pytest.mark.parametrize("native", [False, True], ids=["token", "native coin"])
def test_no_sequence_pays_more_than_it_should(claims: Claims, native: bool) -> None:
    run_state_machine_as_test(machine_of(claims, native=native), settings=SETTINGS)


@pytest.mark.slow
def test_no_sequence_moves_the_registry_without_a_quorum() -> None:
    run_state_machine_as_test(RegistryMachine, settings=SETTINGS)


def main(sequences: int) -> None:
    """Run as many sequences on each machine."""
    prover = Prover(load_artifacts(Settings().artifacts_dir()))
    claims = Claims(prover, CHAIN_ID, build_world().distributor.address)
    many = settings(SETTINGS, max_examples=sequences)
    for native in (False, True):
        run_state_machine_as_test(machine_of(claims, native=native), settings=many)
    run_state_machine_as_test(RegistryMachine, settings=many)


if __name__ == "__main__":
    main(int(sys.argv[1]))
