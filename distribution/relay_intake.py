"""What a relayer takes: claims that it has seen to be payable, before it queues them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from distribution.batch import DEPTH, ProvenClaim
from distribution.chain import Chain
from distribution.claims import compute_message
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.errors import (
    AddressInvalid,
    ClaimConflict,
    ClaimUnknown,
    ContractRefused,
    DistributionError,
    FeeTooHigh,
    FeeTooLow,
    QueueFull,
    RelayError,
)
from distribution.refusals import refusal
from distribution.relay_claims import ClaimState, RelayedClaim
from distribution.relay_epochs import OpenEpoch, OpenEpochs
from distribution.relay_store import RelayStore
from identity_proofs.errors import ProofError
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, judge_batch


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a wallet asks for.

    Attributes:
        recipient: a checksum address.
        fee: in the token's smallest unit.
    """

    epoch: int
    recipient: str
    fee: int
    proof: SemaphoreProof

    @property
    def claim(self) -> ProvenClaim:
        return ProvenClaim(self.recipient, self.fee, self.proof.nullifier, self.proof.points)


Outcome: TypeAlias = RelayedClaim | DistributionError | ProofError
"""What becomes of a request: a claim that is kept here, or why there is none."""


class _Sheet:
    """Requests, each of which is open until it has an outcome."""

    def __init__(self, requests: Sequence[ClaimRequest]) -> None:
        self.open = dict(enumerate(requests))
        self.outcomes: dict[int, Outcome] = {}

    def settle(self, index: int, outcome: Outcome | None) -> None:
        """Note an outcome; with None the request stays open."""
        if outcome is not None:
            self.outcomes[index] = outcome
            del self.open[index]

    def each(self, step: Callable[[ClaimRequest], Outcome | None]) -> None:
        """Settle those for which a step has an outcome, which it returns or raises."""
        for index, request in list(self.open.items()):
            try:
                outcome = step(request)
            except (RelayError, ContractRefused, AddressInvalid) as refused:
                outcome = refused
            self.settle(index, outcome)

    def all(self, outcomes: Iterable[Outcome | None]) -> None:
        """Settle those that are open with outcomes in their order."""
        for index, outcome in zip(list(self.open), outcomes, strict=True):
            self.settle(index, outcome)


class Intake:
    """Verifies claims and queues them; `take_all` is for one thread at a time.

    Args:
        relayer: address that claims have to name, and that gets the fees.
        minimum_fee: in the token's smallest unit.
        capacity: claims that may wait.
    """

    def __init__(
        self,
        chain: Chain,
        deployment: Deployment,
        store: RelayStore,
        relayer: str,
        *,
        minimum_fee: int,
        capacity: int,
    ) -> None:
        self._chain = chain
        self._deployment = deployment
        self._store = store
        self._capacity = capacity
        self._key = VerificationKey.load(DEPTH)
        self._epochs = OpenEpochs(chain, deployment)
        self.relayer = relayer
        self.minimum_fee = minimum_fee

    def take_all(self, requests: Sequence[ClaimRequest]) -> list[Outcome]:
        """Queue claims; what came before is answered with what became of it.

        Two claims are the same if nullifier, epoch, recipient and fee are: anybody can turn a
        valid proof into another one of the same statement.

        Returns:
            A claim, or an error, for each request:
            AddressInvalid: nobody could be paid at the recipient's address.
            FeeTooLow, FeeTooHigh: the fee is not what this relayer works for, or not payable.
            ClaimConflict: the nullifier is queued, or was paid, on other terms.
            QueueFull: too many wait.
            EpochNotClaimable, ClaimsPaused, AlreadyClaimed: the contract would not pay.
            ProofError: the proof does not hold for these terms.
            ChainUnreachable: the chain cannot be asked.
            JournalUnavailable: the database failed.
        """
        sheet = _Sheet(requests)
        try:
            self._take(sheet)
        except DistributionError as fault:  # those that are known already need no chain
            sheet.all([fault] * len(sheet.open))
        return [sheet.outcomes[index] for index in range(len(requests))]

    def _take(self, sheet: _Sheet) -> None:
        # 1. What needs no chain.
        sheet.each(self._check_terms)
        # 2. One claim a nullifier, and no more than are paid in good time.
        known = self._store.find_all([one.proof.nullifier for one in sheet.open.values()])
        sheet.each(lambda one: self._same(known.get(one.proof.nullifier), one))
        room = max(0, self._capacity - self._store.count_queued()) if sheet.open else 0
        for index in list(sheet.open)[room:]:
            full = QueueFull("too many claims wait at this relayer: send it again later")
            sheet.settle(index, full)
        # 3. The contract would pay them now.
        epochs: dict[int, OpenEpoch] = {}
        sheet.each(lambda one: self._check_epoch(one, epochs))
        sheet.all(self._check_unclaimed(sheet.open.values()))
        # 4. A member wants exactly this.
        sheet.all(
            judge_batch([self._expected(one, epochs[one.epoch]) for one in sheet.open.values()])
        )
        # 5. Kept; of two with one nullifier, the first one's terms stand.
        queued = self._store.add_all(
            [(one.epoch, one.claim, epochs[one.epoch].block) for one in sheet.open.values()]
        )
        sheet.each(lambda one: self._same(queued[one.proof.nullifier], one))

    def find_all(self, identifiers: Sequence[str]) -> list[Outcome]:
        """The claims of status addresses; `ClaimUnknown` where there is none."""
        known = self._store.get_all(identifiers)
        unknown = ClaimUnknown("no claim has this id here, or it was settled long ago")
        return [known.get(identifier, unknown) for identifier in identifiers]

    def _check_terms(self, one: ClaimRequest) -> None:
        if int(one.recipient, 16) == 0 or one.recipient == self._deployment.distributor:
            raise AddressInvalid("nobody could be paid at this address: name another recipient")
        if one.fee < self.minimum_fee:
            raise FeeTooLow(f"this relayer works for a fee of {self.minimum_fee} or more")

    def _same(self, known: RelayedClaim | None, one: ClaimRequest) -> RelayedClaim | None:
        """The claim that is kept already, if it is on the same terms; None where there is none."""
        if known is None or known.state is ClaimState.FAILED:
            return None
        if not known.has_terms(one.epoch, one.recipient, one.fee):
            raise ClaimConflict(
                "this member's claim for this epoch is here already, on other terms, which stand"
            )
        return known

    def _check_epoch(self, one: ClaimRequest, epochs: dict[int, OpenEpoch]) -> None:
        epoch = epochs[one.epoch] = self._epochs.read(one.epoch)
        if one.fee > epoch.amount:
            raise FeeTooHigh(f"the fee is more than the epoch pays, {epoch.amount}")

    def _check_unclaimed(self, asked: Collection[ClaimRequest]) -> list[ContractRefused | None]:
        claimed = self._chain.call_each(
            DISTRIBUTOR,
            self._deployment.distributor,
            "isClaimed",
            [(one.epoch, one.proof.nullifier) for one in asked],
        )
        return [refusal("distributor: already claimed") if spent else None for spent in claimed]

    def _expected(self, one: ClaimRequest, epoch: OpenEpoch) -> ExpectedProof:
        message = compute_message(one.recipient, one.fee, self.relayer)
        return ExpectedProof(one.proof, (epoch.root,), epoch.scope, message, self._key)
