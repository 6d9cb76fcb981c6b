"""A contract's revert strings as errors of ours."""

from distribution.errors import (
    AlreadyClaimed,
    ClaimsPaused,
    ContractRefused,
    EpochNotClaimable,
    PoolTooPoor,
    ProofRefused,
    TransferFailed,
)

_REFUSALS: dict[str, tuple[type[ContractRefused], str]] = {
    "distributor: already claimed": (
        AlreadyClaimed,
        "this wallet was paid for this epoch already: claim again in the next one",
    ),
    "distributor: invalid proof": (
        ProofRefused,
        "the proof does not hold for this epoch's root, recipient and fee",
    ),
    "distributor: epoch not claimable": (
        EpochNotClaimable,
        "this epoch has not begun, or its late window is over",
    ),
    "distributor: epoch never opened": (
        EpochNotClaimable,
        "nobody opened this epoch while it ran, so that it has no root to claim against",
    ),
    "distributor: registry has no members": (
        EpochNotClaimable,
        "the registry has no member yet: run `personhood publish` first",
    ),
    "distributor: paused": (
        ClaimsPaused,
        "claims are paused: no right is lost, the time to claim grows by the pause",
    ),
    "distributor: pool too low": (
        PoolTooPoor,
        "the pool cannot pay now: the right to claim stays, try again when it is funded",
    ),
    "distributor: transfer failed": (
        TransferFailed,
        "the coin does not reach this address: the right to claim stays, name another recipient",
    ),
}


def refusal(reason: str) -> ContractRefused:
    """The error for a contract's revert string."""
    kind, message = _REFUSALS.get(reason, (ContractRefused, f"the contract refused: {reason}"))
    return kind(message, reason)
