"""Claiming an epoch's income: the status of an epoch, a proof, a payment.

Nothing here asks anyone about this wallet's own commitment: membership is looked up in the
group that is rebuilt whole from the chain.
"""

from dataclasses import dataclass

from distribution.addresses import parse_address
from distribution.chain import Chain, Receipt
from distribution.deployment import DISTRIBUTOR, NATIVE, TOKEN, Deployment
from distribution.errors import NotAMember
from distribution.hashing import keccak, words
from distribution.refusals import refusal
from distribution.registry import Progress, read_group
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof
from identity_proofs.prover import Prover

ANYONE = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class EpochStatus:
    """One epoch as the chain has it.

    Attributes:
        epoch: its number, from 0 at genesis.
        root: its frozen root; 0 while nobody has opened it.
        ends_at: seconds since 1970.
        pool: what the distributor holds, in the token's smallest unit.
        amount: what a claim pays, the fee included; 0 where a share of the pool is paid and
            nobody has opened the epoch.
    """

    epoch: int
    root: int
    ends_at: int
    pool: int
    amount: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as the distributor takes it; `proof` binds every other field."""

    epoch: int
    recipient: str
    fee: int
    relayer: str
    proof: SemaphoreProof


def read_epoch(chain: Chain, deployment: Deployment, number: int | None = None) -> EpochStatus:
    """The epoch with this number; the current one when None."""
    if number is None:
        number = chain.call(DISTRIBUTOR, deployment.distributor, "currentEpoch")
    epoch = int(number)
    return EpochStatus(
        epoch=epoch,
        root=chain.call(DISTRIBUTOR, deployment.distributor, "epochRoot", epoch),
        ends_at=deployment.genesis + (epoch + 1) * deployment.epoch_length,
        pool=balance_of(chain, deployment, deployment.distributor),
        amount=chain.call(DISTRIBUTOR, deployment.distributor, "epochAmount", epoch),
    )


def open_epoch(chain: Chain, deployment: Deployment) -> EpochStatus:
    """Freeze the registry's root as the current epoch's, unless that is done already.

    Raises:
        EpochNotClaimable: the registry has no member yet.
    """
    status = read_epoch(chain, deployment)
    if status.root == 0:
        chain.transact(DISTRIBUTOR, deployment.distributor, "openEpoch")
        status = read_epoch(chain, deployment)
    return status


def compute_scope(deployment: Deployment, epoch: int) -> int:
    """Semaphore's scope: keccak256(abi.encode(chain id, distributor, epoch))."""
    hashed = keccak(words(deployment.chain_id, deployment.distributor, epoch))
    return int.from_bytes(hashed, "big")


def compute_message(recipient: str, fee: int, relayer: str) -> int:
    """Semaphore's message: keccak256(abi.encode(recipient, fee, relayer or 0))."""
    return int.from_bytes(keccak(words(recipient, fee, relayer)), "big")


def is_claimed(chain: Chain, deployment: Deployment, identity: Identity, epoch: int) -> bool:
    """Whether this identity was paid for `epoch`.

    Looked up in all of the epoch's payments, so that the node learns of no one nullifier.
    """
    nullifier = identity.nullifier(compute_scope(deployment, epoch))
    payments = chain.events(
        DISTRIBUTOR, deployment.distributor, "Claimed", deployment.block, {"epoch": epoch}
    )
    return any(payment["nullifier"] == nullifier for payment in payments)


def require_claimable(
    chain: Chain, deployment: Deployment, identity: Identity, epoch: int, group: Group
) -> None:
    """Tell before a proof is made what would be refused after it.

    Raises:
        NotAMember: the identity's commitment is not in the epoch's `group`.
        AlreadyClaimed: this identity was paid for `epoch`.
    """
    _require_member(identity, group)
    if is_claimed(chain, deployment, identity, epoch):
        raise refusal("distributor: already claimed")


def prove_claim(
    prover: Prover,
    identity: Identity,
    group: Group,
    deployment: Deployment,
    *,
    epoch: int,
    recipient: str,
    fee: int = 0,
    relayer: str = ANYONE,
) -> Claim:
    """Prove membership in the epoch's group, bound to who is paid.

    Raises:
        NotAMember: the identity's commitment is not in `group`.
        AddressInvalid: the recipient or the relayer is none.
    """
    _require_member(identity, group)
    recipient, relayer = parse_address(recipient), parse_address(relayer)
    proof = prover.prove(
        identity,
        group.proof(group.index_of(identity.commitment)),
        scope=compute_scope(deployment, epoch),
        message=compute_message(recipient, fee, relayer),
    )
    return Claim(epoch=epoch, recipient=recipient, fee=fee, relayer=relayer, proof=proof)


def submit_claim(chain: Chain, deployment: Deployment, claim: Claim) -> Receipt:
    """Send the claim; `recipient` is paid when this returns.

    Raises:
        AlreadyClaimed: this nullifier was spent in this epoch.
        ProofRefused: the proof does not hold for the epoch's root or for these fields.
        EpochNotClaimable: no root, or outside the late window.
        ClaimsPaused: the attesters stopped claims for a while.
        PoolTooPoor: the pool cannot pay now.
    """
    return chain.transact(
        DISTRIBUTOR,
        deployment.distributor,
        "claim",
        claim.epoch,
        claim.recipient,
        claim.fee,
        claim.relayer,
        claim.proof.nullifier,
        list(claim.proof.points),
    )


def balance_of(chain: Chain, deployment: Deployment, address: str) -> int:
    """What `address` holds of the coin that is paid, in its smallest unit."""
    if deployment.token == NATIVE:
        return chain.balance(address)
    return int(chain.call(TOKEN, deployment.token, "balanceOf", address))


def read_epoch_group(
    chain: Chain,
    deployment: Deployment,
    status: EpochStatus,
    *,
    progress: Progress | None = None,
) -> Group:
    """The group whose root `status` froze."""
    return read_group(chain, deployment, at_root=status.root, progress=progress)


def _require_member(identity: Identity, group: Group) -> None:
    if identity.commitment not in group:
        raise NotAMember(
            "this wallet is not in the epoch's group: enrol at a kiosk, and claim from the "
            "epoch after its publication"
        )
