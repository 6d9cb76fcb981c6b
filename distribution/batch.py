"""Many claims of one epoch in one transaction: the weights, and what is sent of the proofs.

The distributor checks one random linear combination of all proofs (Bellare, Garay, Rabin, Fast
Batch Verification, 1998). A proof's C enters it through the weighted sum of all C alone, so that
this sum is sent in their place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from distribution.bn254 import Point, weighted_sum
from distribution.chain import Chain, Receipt
from distribution.claims import Claim, compute_message, compute_scope
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.errors import BatchInvalid
from distribution.hashing import WORD, keccak, words
from identity_proofs.errors import BatchRefused
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, verify_batch

MAX_BATCH = 100  # the contract's bound
DEPTH = 27  # of the contract's verification key

_NAME = keccak(b"UbiDistributor.claimBatch")
_SELECTOR = keccak(
    b"claimBatch(uint256,address,(address,uint256,uint256,uint256[2],uint256[4])[],uint256[2])"
)[:4]
_ENTRIES_AT = 5 * WORD  # after epoch, relayer, this offset and a point

Entry: TypeAlias = tuple[str, int, int, tuple[int, ...], tuple[int, ...]]
"""Recipient, fee, nullifier, A and B, as the contract's struct has them."""


@dataclass(frozen=True, slots=True)
class ProvenClaim:
    """What is known of one claim of a batch.

    Attributes:
        points: the proof's eight, as in `SemaphoreProof`.
    """

    recipient: str
    fee: int
    nullifier: int
    points: tuple[int, ...]

    @property
    def entry(self) -> Entry:
        return self.recipient, self.fee, self.nullifier, self.points[:2], self.points[2:6]


def draw_weights(
    chain_id: int,
    distributor: str,
    epoch: int,
    root: int,
    relayer: str,
    claims: Sequence[ProvenClaim],
) -> list[int]:
    """The weights that the contract draws: 128 bits of a hash of everything that they weigh."""
    header = (_NAME, DEPTH, chain_id, distributor, epoch, root, relayer, len(claims))
    transcript = keccak(words(*header))
    for claim in claims:
        recipient, fee, nullifier, a, b = claim.entry
        transcript = keccak(words(transcript, recipient, fee, nullifier, *a, *b))
    return [
        int.from_bytes(keccak(words(transcript, index))[:16], "big") for index in range(len(claims))
    ]


def fold(claims: Sequence[ProvenClaim], weights: Sequence[int]) -> Point:
    """The weighted sum of each proof's C, all of which are on the curve."""
    return weighted_sum([(claim.points[6], claim.points[7]) for claim in claims], weights)


def encode_batch(epoch: int, relayer: str, claims: Sequence[ProvenClaim], folded: Point) -> bytes:
    """A call of claimBatch as `Interface.encode` has it, in a tenth of the time.

    Args:
        folded: see `fold`.
    """
    flat: list[int | str] = []
    for claim in claims:
        recipient, fee, nullifier, a, b = claim.entry
        flat += (recipient, fee, nullifier, *a, *b)
    return _SELECTOR + words(epoch, relayer, _ENTRIES_AT, *folded, len(claims), *flat)


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """What became of a batch.

    Attributes:
        paid: nullifiers that were paid for by this transaction.
        skipped: why others were not, by nullifier, in the contract's words.
    """

    receipt: Receipt
    paid: frozenset[int]
    skipped: dict[int, str]


def check_batch(deployment: Deployment, claims: Sequence[Claim], root: int) -> None:
    """Return if the contract would find every proof of the batch valid.

    Args:
        claims: of one epoch and one relayer, at most `MAX_BATCH`.
        root: of the epoch.

    Raises:
        BatchInvalid: they are no batch, or the first claim that does not hold, by its index.
    """
    if not 0 < len(claims) <= MAX_BATCH:
        raise BatchInvalid(f"a batch has 1 to {MAX_BATCH} claims", min(len(claims), MAX_BATCH))
    epoch, relayer = claims[0].epoch, claims[0].relayer
    for index, claim in enumerate(claims):
        if (claim.epoch, claim.relayer) != (epoch, relayer):
            raise BatchInvalid(f"claim {index} is of another epoch or relayer", index)
    key, scope = VerificationKey.load(DEPTH), compute_scope(deployment, epoch)
    expected = [
        ExpectedProof(
            claim.proof,
            roots=(root,),
            scope=scope,
            message=compute_message(claim.recipient, claim.fee, relayer),
            key=key,
        )
        for claim in claims
    ]
    try:
        verify_batch(expected)
    except BatchRefused as refused:
        raise BatchInvalid(
            f"the proof of claim {refused.index} does not hold: leave it out", refused.index
        ) from refused


def submit_batch(
    chain: Chain, deployment: Deployment, claims: Sequence[Claim], root: int
) -> BatchReceipt:
    """Check the batch and send it; its recipients are paid when this returns.

    Args:
        claims: of one epoch and one relayer, at most `MAX_BATCH`.
        root: of the epoch.

    Raises:
        BatchInvalid: they are no batch, or one of them does not hold.
        ContractRefused: the contract refused the batch whole.
    """
    check_batch(deployment, claims, root)
    epoch, relayer = claims[0].epoch, claims[0].relayer
    proven = [
        ProvenClaim(claim.recipient, claim.fee, claim.proof.nullifier, claim.proof.points)
        for claim in claims
    ]
    address = deployment.distributor
    weights = draw_weights(deployment.chain_id, address, epoch, root, relayer, proven)
    arguments = (epoch, relayer, [claim.entry for claim in proven], fold(proven, weights))
    receipt = chain.transact(DISTRIBUTOR, address, "claimBatch", *arguments)

    def logged(event: str) -> list[Mapping[str, Any]]:
        return chain.events(
            DISTRIBUTOR, address, event, receipt.block, transaction=receipt.transaction_hash
        )

    return BatchReceipt(
        receipt=receipt,
        paid=frozenset(paid["nullifier"] for paid in logged("Claimed")),
        skipped={one["nullifier"]: one["reason"] for one in logged("Skipped")},
    )
