"""What can go wrong between us and the chain.

DistributionError
├── ChainUnreachable          no JSON-RPC answer from the endpoint
│   └── ChainTimeout          the endpoint took the request and did not answer in time
├── NodeFailed                a local node did not start
├── NotDeployed               no deployment file, or no code at its addresses
├── DeploymentMismatch        the deployment file is of another chain, or of other code
├── SenderMissing             nobody to pay gas: no key and no node-held account
├── SenderKeyInvalid          the key that pays gas is no secp256k1 key
├── SenderPoor                the account that pays gas cannot pay for a transaction
├── SenderBusy                another process sends from this account
├── JournalUnavailable        the database of what was sent failed
├── AddressInvalid            not a 20-byte address, or with a wrong checksum
├── GroupMismatch             the chain's events do not give the chain's root
├── PublishConflict           the chain holds members that our records do not
├── TermsInvalid              what is to be deployed contradicts itself
├── AttesterKeyInvalid        an attester's key file cannot be used
├── AttestationRefused        an attester does not sign; `reason` is a stable code
│   ├── AlreadySigned         it signed another root in this place, which `update` tells
│   └── AttesterUnreachable   it does not answer, or not as one
├── QuorumMissing             too few attesters signed
├── BatchInvalid              a claim of the batch does not hold; `index` names it
├── RelayError                a relayer does not take a claim
│   ├── RequestMalformed      not the JSON that was asked for
│   ├── RequestTooLarge       more of it than any claim needs
│   ├── TooManyRequests       from this range of addresses
│   ├── ClaimUnknown          no claim of this id
│   ├── ClaimConflict         this nullifier came before with other terms
│   ├── FeeTooLow             less than this relayer works for
│   ├── FeeTooHigh            more than the epoch pays
│   ├── QueueFull             too many claims wait
│   └── RelayDatabaseMismatch the relayer's database is of another version
├── RelayerUnreachable        a relayer does not answer, or not as one does
├── RelayerMismatch           a relayer works for other contracts
├── RelayerRefused            a relayer does not take the claim, or gave it up
├── FeeUnusual                a relayer asks more than a wallet pays unasked
├── NotAMember                this wallet is not in the epoch's group
└── ContractRefused           a contract reverted; `reason` is its own word
    ├── AlreadyClaimed        the nullifier was spent in this epoch
    ├── ProofRefused          the proof does not hold for this root, scope, message
    ├── EpochNotClaimable     no root, not begun, or past the late window
    ├── ClaimsPaused          the attesters stopped claims for a while; no right is lost
    ├── PoolTooPoor           the pool cannot pay now; the right to claim late remains
    └── TransferFailed        the recipient, or the token, refuses; the right to claim remains
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from distribution.attestation import RootUpdate


class DistributionError(Exception):
    """Base of all; `code` is stable, the message says what to do."""

    code: ClassVar[str] = "distribution_error"


class ChainUnreachable(DistributionError):
    code = "chain_unreachable"


class ChainTimeout(ChainUnreachable):
    code = "chain_timeout"


class NodeFailed(DistributionError):
    code = "node_failed"


class NotDeployed(DistributionError):
    code = "not_deployed"


class DeploymentMismatch(DistributionError):
    code = "deployment_mismatch"


class SenderMissing(DistributionError):
    code = "sender_missing"


class SenderKeyInvalid(DistributionError):
    code = "sender_key_invalid"


class SenderPoor(DistributionError):
    code = "sender_poor"


class SenderBusy(DistributionError):
    code = "sender_busy"


class JournalUnavailable(DistributionError):
    code = "journal_unavailable"


class AddressInvalid(DistributionError):
    code = "address_invalid"


class GroupMismatch(DistributionError):
    code = "group_mismatch"


class PublishConflict(DistributionError):
    code = "publish_conflict"


class TermsInvalid(DistributionError):
    code = "terms_invalid"


class AttesterKeyInvalid(DistributionError):
    code = "attester_key_invalid"


class AttestationRefused(DistributionError):
    """An attester does not sign.

    Attributes:
        reason: a stable code, for instance ``member_without_decision``.
    """

    code = "attestation_refused"

    def __init__(self, message: str, reason: str = "root_wrong") -> None:
        super().__init__(message)
        self.reason = reason


class AlreadySigned(AttestationRefused):
    """An attester signed another root that follows on the same one.

    Attributes:
        update: what it signed, and will sign again.
    """

    code = "already_signed"

    def __init__(self, message: str, update: "RootUpdate") -> None:
        super().__init__(message, "already_signed")
        self.update = update


class AttesterUnreachable(AttestationRefused):
    code = "attester_unreachable"

    def __init__(self, message: str) -> None:
        super().__init__(message, "attester_unreachable")


class QuorumMissing(DistributionError):
    """Too few attesters signed.

    Attributes:
        signed: what some of them signed before in this place, and will sign again.
    """

    code = "quorum_missing"

    def __init__(self, message: str, signed: "tuple[RootUpdate, ...]" = ()) -> None:
        super().__init__(message)
        self.signed = signed


class BatchInvalid(DistributionError):
    """A claim of a batch does not hold.

    Attributes:
        index: its place in the batch.
    """

    code = "batch_invalid"

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class RelayError(DistributionError):
    code = "relay_error"


class RequestMalformed(RelayError):
    code = "relay_request_malformed"


class RequestTooLarge(RelayError):
    code = "relay_request_too_large"


class TooManyRequests(RelayError):
    """Too many from one range of addresses.

    Attributes:
        retry_after: seconds until one more is taken.
    """

    code = "relay_too_many_requests"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ClaimUnknown(RelayError):
    code = "claim_unknown"


class ClaimConflict(RelayError):
    code = "claim_conflict"


class FeeTooLow(RelayError):
    code = "fee_too_low"


class FeeTooHigh(RelayError):
    code = "fee_too_high"


class QueueFull(RelayError):
    code = "queue_full"


class RelayDatabaseMismatch(RelayError):
    code = "relay_database_mismatch"


class RelayerUnreachable(DistributionError):
    code = "relayer_unreachable"


class RelayerMismatch(DistributionError):
    code = "relayer_mismatch"


class RelayerRefused(DistributionError):
    code = "relayer_refused"


class FeeUnusual(DistributionError):
    code = "fee_unusual"


class NotAMember(DistributionError):
    code = "not_a_member"


class ContractRefused(DistributionError):
    """A contract reverted.

    Attributes:
        reason: the contract's own revert string, for instance ``registry: zero root``.
    """

    code = "contract_refused"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class AlreadyClaimed(ContractRefused):
    code = "already_claimed"


class ProofRefused(ContractRefused):
    code = "proof_refused"


class EpochNotClaimable(ContractRefused):
    code = "epoch_not_claimable"


class ClaimsPaused(ContractRefused):
    code = "claims_paused"


class PoolTooPoor(ContractRefused):
    code = "pool_too_poor"


class TransferFailed(ContractRefused):
    code = "transfer_failed"
