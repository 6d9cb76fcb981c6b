"""What a relayer takes: claims that it has seen to be payable, before it queues them."""

from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Final

from distribution.addresses import parse_address
from distribution.batch import DEPTH, ProvenClaim
from distribution.chain import Chain
from distribution.claims import compute_message, compute_scope
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.errors import (
    AddressInvalid,
    ClaimConflict,
    ClaimUnknown,
    FeeTooHigh,
    FeeTooLow,
    QueueFull,
)
from distribution.refusals import refusal
from distribution.relay_store import ClaimState, RelayedClaim, RelayStore
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import verify_proof

FRESH: Final = 2.0  # seconds for which an epoch's state is taken from memory


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a wallet asks for; `fee` in the token's smallest unit."""

    epoch: int
    recipient: str
    fee: int
    proof: SemaphoreProof


@dataclass(frozen=True, slots=True)
class _Epoch:
    root: int
    amount: int
    read_at: float


class Intake:
    """Verifies claims and queues them; safe to call from many threads.

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
        self._epochs: dict[int, _Epoch] = {}
        self._lock = Lock()
        self.relayer = relayer
        self.minimum_fee = minimum_fee

    def take(self, request: ClaimRequest) -> RelayedClaim:
        """Queue a claim; the same again is answered with what became of it.

        Two claims are the same if nullifier, epoch, recipient and fee are: anybody can turn a
        valid proof into another one of the same statement.

        Raises:
            AddressInvalid: the recipient is no address, or nobody's.
            FeeTooLow, FeeTooHigh: the fee is not what this relayer works for, or not payable.
            ClaimConflict: the nullifier is queued, or was paid, on other terms.
            QueueFull: too many wait.
            EpochNotClaimable, ClaimsPaused, AlreadyClaimed: the contract would not pay.
            ProofError: the proof does not hold for these terms.
            ChainUnreachable: the chain cannot be asked.
        """
        # 1. What needs no chain.
        recipient = parse_address(request.recipient)
        if int(recipient, 16) == 0 or recipient == self._deployment.distributor:
            raise AddressInvalid("nobody could be paid at this address: name another recipient")
        if request.fee < self.minimum_fee:
            raise FeeTooLow(f"this relayer works for a fee of {self.minimum_fee} or more")
        # 2. One claim a nullifier.
        nullifier = request.proof.nullifier
        known = self._store.find(nullifier)
        if known is not None and known.state is not ClaimState.FAILED:
            return self._same(known, request.epoch, recipient, request.fee)
        if self._store.count_queued() >= self._capacity:
            raise QueueFull("too many claims wait at this relayer: send it again later")
        # 3. The contract would pay it now.
        epoch = self._claimable(request.epoch)
        if request.fee > epoch.amount:
            raise FeeTooHigh(f"the fee is more than the epoch pays, {epoch.amount}")
        distributor = self._deployment.distributor
        if self._chain.call(DISTRIBUTOR, distributor, "isClaimed", request.epoch, nullifier):
            raise refusal("distributor: already claimed")
        # 4. A member wants exactly this.
        verify_proof(
            request.proof,
            roots=(epoch.root,),
            scope=compute_scope(self._deployment, request.epoch),
            message=compute_message(recipient, request.fee, self.relayer),
            key=self._key,
        )
        claim = ProvenClaim(recipient, request.fee, nullifier, request.proof.points)
        queued = self._store.add(request.epoch, claim)
        return self._same(queued, request.epoch, recipient, request.fee)

    def find(self, identifier: str) -> RelayedClaim:
        """The claim of a status address.

        Raises:
            ClaimUnknown: there is none.
        """
        claim = self._store.get(identifier)
        if claim is None:
            raise ClaimUnknown("no claim has this id here, or it was settled long ago")
        return claim

    def _same(self, known: RelayedClaim, epoch: int, recipient: str, fee: int) -> RelayedClaim:
        if not known.has_terms(epoch, recipient, fee):
            raise ClaimConflict(
                "this member's claim for this epoch is here already, on other terms, which stand"
            )
        return known

    def _claimable(self, epoch: int) -> _Epoch:
        """The state of an epoch that can be claimed now."""
        with self._lock:
            known = self._epochs.get(epoch)
            if known is not None and monotonic() - known.read_at < FRESH:
                return known
            self._require_open(epoch)
            known = _Epoch(
                root=self._view("epochRoot", epoch),
                amount=self._view("epochAmount", epoch),
                read_at=monotonic(),
            )
            if known.root == 0:
                raise refusal("distributor: epoch never opened")
            self._epochs = {epoch: known, **{e: k for e, k in self._epochs.items() if e != epoch}}
            while len(self._epochs) > self._deployment.late_epochs + 1:
                self._epochs.popitem()
            return known

    def _require_open(self, epoch: int) -> None:
        if self._view("pausedSince"):
            raise refusal("distributor: paused")
        current = self._view("currentEpoch")
        late = epoch < current and self._chain.now() >= self._view("claimsEnd", epoch)
        if epoch > current or late:
            raise refusal("distributor: epoch not claimable")

    def _view(self, function: str, *arguments: int) -> int:
        answer = self._chain.call(DISTRIBUTOR, self._deployment.distributor, function, *arguments)
        return int(answer)
