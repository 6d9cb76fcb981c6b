# pragma version ==0.4.3
"""
@title How much a claim pays
@license MIT
@notice One of two policies, chosen at deployment.
        Fixed: the same amount every epoch, as long as the pool can pay it.
        Pool share: when an epoch opens, `share` of the pool is divided by the smoothed number of
        claimants, rounded down, and that is the epoch's amount. The number of claimants follows
        a rise at once and a fall by a quarter of the difference an epoch, and is never less than
        `leastClaimants`: an amount set for few must not be claimed by many. For the same reason
        what is paid out between two openings is at most twice `share` of the pool; a claim
        beyond that can be made late, out of a later epoch's allowance.
@custom:reverts
        "distributor: no single policy"       both an amount and a share, or neither
        "distributor: share out of range"     of the whole pool, or without claimants to divide by
"""

# What `share` is counted in: the whole pool is 10^18.
WHOLE: constant(uint256) = 10**18

# How many times the share may be paid out between two openings.
HEADROOM: constant(uint256) = 2

# @notice What one claim takes from the pool in every epoch, the fee included, in the token's
#         smallest unit; 0 under the policy of pool shares.
amount: public(immutable(uint256))

# @notice Part of the pool paid out an epoch, of 10^18; 0 under the policy of a fixed amount.
share: public(immutable(uint256))

# @notice The number of claimants that a share is divided by, at least.
leastClaimants: public(immutable(uint256))

# @notice The number of claimants, smoothed, as of the newest opening.
smoothedClaimants: public(uint256)

_amounts: HashMap[uint256, uint256]  # of each epoch that was opened
_left: uint256  # to be paid out before the next opening
_claims: uint256  # paid since the newest opening


@deploy
def __init__(amount_: uint256, share_: uint256, leastClaimants_: uint256):
    """
    @param amount_ What one claim takes; 0 for the policy of pool shares.
    @param share_ Part of the pool an epoch, of 10^18; 0 for the policy of a fixed amount.
    @param leastClaimants_ What a share is divided by, at least; 0 for a fixed amount.
    """
    assert (amount_ == 0) != (share_ == 0), "distributor: no single policy"
    assert (
        share_ < WHOLE and (share_ == 0) == (leastClaimants_ == 0)
    ), "distributor: share out of range"
    amount = amount_
    share = share_
    leastClaimants = leastClaimants_


@internal
def _open(epoch: uint256, pool: uint256):
    """
    @notice Settle what `epoch` pays.
    """
    if share == 0:
        return
    claimants: uint256 = self.smoothedClaimants
    claims: uint256 = self._claims
    if claims >= claimants:
        claimants = claims
    else:
        claimants -= (claimants - claims) // 4
    allowed: uint256 = pool * share // WHOLE
    self._amounts[epoch] = allowed // max(claimants, leastClaimants)
    self._left = HEADROOM * allowed
    self.smoothedClaimants = claimants
    self._claims = 0


@internal
@view
def _of(epoch: uint256) -> uint256:
    """
    @return What a claim for `epoch` takes; 0 if the epoch was not opened or has nothing to pay.
    """
    return self._amounts[epoch] if share != 0 else amount


@internal
@view
def _payable(pool: uint256) -> uint256:
    """
    @return What can be paid out now of a pool of this size.
    """
    return min(pool, self._left) if share != 0 else pool


@internal
def _spend(tokens: uint256, claims: uint256):
    """
    @notice Take note of what was paid.
    """
    if share != 0:
        self._left -= tokens
        self._claims += claims
