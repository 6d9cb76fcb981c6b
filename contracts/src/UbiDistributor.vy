# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Basic income distributor
@license MIT
@notice Pays every member of the personhood registry the same amount once an epoch, without
        learning which member it pays.
        Time since `genesis` is cut into epochs of `epochLength` seconds. The first call in an
        epoch freezes the registry's root as that epoch's root; later changes of the registry
        count from the next epoch on. A claim names the current epoch or one of the `lateEpochs`
        before it, and proves, in zero knowledge, membership under that epoch's root. An epoch in
        which nobody called has no root and pays nobody.
        The proof binds recipient, fee and relayer, and who sends it does not matter: the fee
        goes to the relayer named in it, and a claim that names none has none. So a claim can be
        copied, but not turned to the copier's profit.
        What is in the pool leaves it by claims, or by a migration (see `stewardship`).
@custom:reverts See also `treasury`, `allowance` and `stewardship`.
        "distributor: zero epoch length"
        "distributor: migration delay too short" shorter than an epoch can be claimed
        "distributor: not in this coin"          the native coin was sent to a pool of tokens
        "distributor: before genesis"            the first epoch has not begun
        "distributor: registry has no members"   no root to freeze yet
        "distributor: epoch not claimable"       in the future, or too long ago
        "distributor: epoch never opened"        nobody called in it, so it has no root
        "distributor: empty batch"
        "distributor: zero recipient"
        "distributor: fee above amount"
        "distributor: fee without relayer"
        "distributor: nullifier out of field"    not below the order of the scalar field
        "distributor: already claimed"           this member was paid for this epoch
        "distributor: pool too low"              cannot pay now; the right to claim stays
        "distributor: invalid proof"
        "distributor: transfer failed"           not taken; the right to claim stays
        "distributor: token took more"           than was paid out
"""

from . import allowance
from . import semaphore_verifier as verifier
from . import stewardship
from . import treasury
from . import verification_key as vk

initializes: allowance
initializes: treasury
initializes: stewardship[treasury := treasury]

exports: (
    allowance.amount,
    allowance.share,
    allowance.leastClaimants,
    allowance.smoothedClaimants,
    treasury.token,
    stewardship.registry,
    stewardship.migrationDelay,
    stewardship.action,
    stewardship.pausedSince,
    stewardship.destination,
    stewardship.due,
    stewardship.setPaused,
    stewardship.announceMigration,
    stewardship.migrate,
)


interface Registry:
    def root() -> uint256: view


struct Terms:
    genesis: uint256
    epochLength: uint256
    lateEpochs: uint256
    amount: uint256
    share: uint256
    leastClaimants: uint256
    migrationDelay: uint256


# A claim as a batch holds it: all of the proof but C, which is folded into one for the batch.
struct Entry:
    recipient: address
    fee: uint256
    nullifier: uint256
    a: uint256[2]
    b: uint256[4]


event EpochOpened:
    epoch: indexed(uint256)
    root: uint256
    amount: uint256


event Claimed:
    epoch: indexed(uint256)
    nullifier: indexed(uint256)
    recipient: indexed(address)
    amount: uint256
    fee: uint256


event Skipped:
    epoch: indexed(uint256)
    nullifier: indexed(uint256)
    reason: String[32]


event Donated:
    donor: indexed(address)
    amount: uint256


# The most claims in a batch.
MAX_BATCH: constant(uint256) = 100

# What became of a claim with a valid proof.
PAID: constant(uint256) = 0
ALREADY_CLAIMED: constant(uint256) = 1
POOL_TOO_LOW: constant(uint256) = 2
TRANSFER_FAILED: constant(uint256) = 3

BATCH: constant(bytes32) = keccak256("UbiDistributor.claimBatch")

# @notice When epoch 0 begins, in seconds since 1970.
genesis: public(immutable(uint256))

# @notice Seconds in an epoch.
epochLength: public(immutable(uint256))

# @notice For how many epochs after its own a claim can still be made, were there no pause.
lateEpochs: public(immutable(uint256))

# @notice The root frozen for an epoch; 0 if it was never opened.
epochRoot: public(HashMap[uint256, uint256])

# @notice Whether a nullifier was paid for in an epoch: epoch -> nullifier -> paid.
isClaimed: public(HashMap[uint256, HashMap[uint256, bool]])

# Seconds of all pauses before an epoch was opened.
_paused_at_opening: HashMap[uint256, uint256]


@deploy
def __init__(registry: address, token: address, terms: Terms):
    """
    @param registry The personhood registry.
    @param token The ERC-20 to pay in, or zero for the chain's own coin.
    @param terms As the getters of the same names.
    """
    assert terms.epochLength > 0, "distributor: zero epoch length"
    assert (
        terms.migrationDelay >= (terms.lateEpochs + 1) * terms.epochLength
    ), "distributor: migration delay too short"
    treasury.__init__(token)
    allowance.__init__(terms.amount, terms.share, terms.leastClaimants)
    stewardship.__init__(registry, terms.migrationDelay)
    genesis = terms.genesis
    epochLength = terms.epochLength
    lateEpochs = terms.lateEpochs


@external
@payable
def __default__():
    """
    @notice Take a donation of the chain's own coin.
    """
    assert treasury.token == empty(address), "distributor: not in this coin"
    log Donated(donor=msg.sender, amount=msg.value)


@external
@nonreentrant
def openEpoch() -> uint256:
    """
    @notice Freeze the current epoch's root, if nobody has yet. Also in a pause.
    @return The root of the current epoch.
    """
    return self._open(self._current_epoch())


@external
@nonreentrant
def claim(
    epoch: uint256,
    recipient: address,
    fee: uint256,
    relayer: address,
    nullifier: uint256,
    points: uint256[8],
):
    """
    @notice Pay a member for `epoch`. Anybody may send it.
    @param epoch The current epoch, or one of the `lateEpochs` before it.
    @param recipient Who gets the epoch's amount less the fee.
    @param fee What the relayer gets, in the token's smallest unit.
    @param relayer Who gets the fee; zero if there is none.
    @param nullifier The proof's nullifier.
    @param points The proof, in the order of `semaphore_verifier`.
    """
    # 1. The epoch has a root, and the terms make sense.
    root: uint256 = self._claimable_root(epoch)
    amount: uint256 = allowance._of(epoch)
    self._check_terms(recipient, fee, relayer, nullifier, amount)

    # 2. This member was not paid for this epoch, and can be.
    assert not self.isClaimed[epoch][nullifier], "distributor: already claimed"
    pool: uint256 = treasury._balance()
    payable_now: uint256 = allowance._payable(pool)
    assert 0 < amount and amount <= payable_now, "distributor: pool too low"

    # 3. A member wants exactly this.
    message: uint256 = self._signal(self._message(recipient, fee, relayer))
    scope: uint256 = self._signal(self._scope(epoch))
    proven: bool = verifier._verify([root, nullifier, message, scope], points)
    assert proven, "distributor: invalid proof"

    # 4. Pay.
    outcome: uint256 = self._settle(epoch, recipient, fee, nullifier, amount, payable_now)
    assert outcome == PAID, "distributor: transfer failed"
    self._close(relayer, fee, pool, amount, 1)


@external
@nonreentrant
def claimBatch(
    epoch: uint256,
    relayer: address,
    entries: DynArray[Entry, MAX_BATCH],
    folded: uint256[2],
):
    """
    @notice Pay many members for one epoch, with one product of pairings. Anybody may send it.
            A batch with an invalid proof is refused whole. An entry that was paid already, that
            the pool cannot pay now, or whose recipient refuses is skipped, with `Skipped`.
    @dev With weights w_i, the batch shows that the sum of w_i times each proof's equation holds.
         The weights are drawn from a hash of everything that they weigh. C_i enters the equation
         through the sum of w_i C_i alone, which is therefore all that is sent of it: see
         docs/decisions/0020.
    @param epoch The current epoch, or one of the `lateEpochs` before it.
    @param relayer Who gets the fees, and is named in all these claims; zero if there are none.
    @param entries At most 100 claims.
    @param folded The sum of w_i C_i.
    """
    # 1. The epoch has a root, and the terms make sense. Their hash fixes the weights.
    root: uint256 = self._claimable_root(epoch)
    amount: uint256 = allowance._of(epoch)
    assert len(entries) > 0, "distributor: empty batch"
    transcript: bytes32 = keccak256(
        abi_encode(BATCH, vk.DEPTH, chain.id, self, epoch, root, relayer, len(entries))
    )
    for entry: Entry in entries:
        self._check_terms(entry.recipient, entry.fee, relayer, entry.nullifier, amount)
        transcript = keccak256(abi_encode(transcript, entry))

    # 2. A member each wants exactly this: the weighted sum of all equations holds.
    total: uint256 = 0
    nullifiers: uint256 = 0
    messages: uint256 = 0
    pairs: DynArray[uint256[6], MAX_BATCH + 3] = []
    for entry: Entry in entries:
        weight: uint256 = self._weight(transcript, len(pairs))
        message: uint256 = self._signal(self._message(entry.recipient, entry.fee, relayer))
        total += weight
        nullifiers = self._add_product(nullifiers, weight, entry.nullifier)
        messages = self._add_product(messages, weight, message)
        a: uint256[2] = verifier._weigh(entry.a, weight)
        pairs.append([a[0], a[1], entry.b[0], entry.b[1], entry.b[2], entry.b[3]])
    scope: uint256 = self._signal(self._scope(epoch))
    sums: uint256[5] = [
        total,
        self._add_product(0, total, root),
        nullifiers,
        messages,
        self._add_product(0, total, scope),
    ]
    closing: uint256[6][3] = verifier._closing_pairs(sums, folded)
    for pair: uint256[6] in closing:
        pairs.append(pair)
    # A precompile takes the pairs alone, without their offset and their number.
    size: uint256 = 192 * (len(entries) + 3)
    answered: bool = False
    answer: Bytes[32] = b""
    answered, answer = raw_call(
        verifier.ECPAIRING,
        slice(abi_encode(pairs), 64, size),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    assert (
        answered and len(answer) == 32 and convert(answer, uint256) == 1
    ), "distributor: invalid proof"

    # 3. Pay.
    pool: uint256 = treasury._balance()
    payable_now: uint256 = allowance._payable(pool)
    fees: uint256 = 0
    paid: uint256 = 0
    for entry: Entry in entries:
        outcome: uint256 = self._settle(
            epoch, entry.recipient, entry.fee, entry.nullifier, amount, payable_now
        )
        if outcome == PAID:
            payable_now -= amount
            fees += entry.fee
            paid += 1
        else:
            log Skipped(epoch=epoch, nullifier=entry.nullifier, reason=self._reason(outcome))
    self._close(relayer, fees, pool, amount, paid)


@external
@payable
@nonreentrant
def donate(tokens: uint256):
    """
    @notice Add to the pool: tokens from an allowance of the sender, or as much of the chain's own
            coin as is sent along. A plain transfer does as well.
    @param tokens How many, in the smallest unit.
    """
    arrived: uint256 = treasury._take(tokens)
    log Donated(donor=msg.sender, amount=arrived)


@external
@view
def currentEpoch() -> uint256:
    """
    @return The number of the epoch that is running.
    """
    return self._current_epoch()


@external
@view
def epochEnds(epoch: uint256) -> uint256:
    """
    @param epoch Number of an epoch.
    @return When it is over, in seconds since 1970.
    """
    return genesis + (epoch + 1) * epochLength


@external
@view
def claimsEnd(epoch: uint256) -> uint256:
    """
    @param epoch Number of an epoch.
    @return When it can no longer be claimed, in seconds since 1970: `lateEpochs` after its end,
            and as much later as claims were paused since it was opened.
    """
    return self._claims_end(epoch)


@external
@view
def epochAmount(epoch: uint256) -> uint256:
    """
    @param epoch Number of an epoch.
    @return What a claim for it takes from the pool, the fee included; under the policy of pool
            shares 0 until it is opened.
    """
    return allowance._of(epoch)


@external
@view
def payableNow() -> uint256:
    """
    @return How much could be paid out now, in the smallest unit.
    """
    return allowance._payable(treasury._balance())


@external
@view
def scope(epoch: uint256) -> uint256:
    """
    @param epoch Number of an epoch.
    @return The Semaphore scope of its claims, before the hashing that Semaphore itself does.
    """
    return self._scope(epoch)


@external
@pure
def message(recipient: address, fee: uint256, relayer: address) -> uint256:
    """
    @param recipient Who gets the amount less the fee.
    @param fee What the relayer gets.
    @param relayer Who gets the fee.
    @return The Semaphore message of such a claim, before the hashing that Semaphore itself does.
    """
    return self._message(recipient, fee, relayer)


@internal
@view
def _current_epoch() -> uint256:
    assert block.timestamp >= genesis, "distributor: before genesis"
    return (block.timestamp - genesis) // epochLength


@internal
def _open(epoch: uint256) -> uint256:
    root: uint256 = self.epochRoot[epoch]
    if root == 0:
        root = staticcall Registry(stewardship.registry).root()
        assert root != 0, "distributor: registry has no members"
        self.epochRoot[epoch] = root
        self._paused_at_opening[epoch] = stewardship._paused_seconds()
        allowance._open(epoch, treasury._balance())
        log EpochOpened(epoch=epoch, root=root, amount=allowance._of(epoch))
    return root


@internal
def _claimable_root(epoch: uint256) -> uint256:
    stewardship._require_running()
    current: uint256 = self._current_epoch()
    root: uint256 = self._open(current)
    if epoch == current:
        return root
    assert (
        epoch < current and block.timestamp < self._claims_end(epoch)
    ), "distributor: epoch not claimable"
    root = self.epochRoot[epoch]
    assert root != 0, "distributor: epoch never opened"
    return root


@internal
@view
def _claims_end(epoch: uint256) -> uint256:
    paused: uint256 = stewardship._paused_seconds() - self._paused_at_opening[epoch]
    return genesis + (epoch + 1 + lateEpochs) * epochLength + paused


@internal
@view
def _check_terms(
    recipient: address, fee: uint256, relayer: address, nullifier: uint256, amount: uint256
):
    assert recipient != empty(address), "distributor: zero recipient"
    assert fee <= amount, "distributor: fee above amount"
    assert fee == 0 or relayer != empty(address), "distributor: fee without relayer"
    assert nullifier < verifier.FIELD_ORDER, "distributor: nullifier out of field"


@internal
def _settle(
    epoch: uint256,
    recipient: address,
    fee: uint256,
    nullifier: uint256,
    amount: uint256,
    payable_now: uint256,
) -> uint256:
    """
    @notice Pay a proven claim, or leave everything as it was.
    """
    if self.isClaimed[epoch][nullifier]:
        return ALREADY_CLAIMED
    if amount == 0 or amount > payable_now:
        return POOL_TOO_LOW
    # The nullifier first, because token and recipient are foreign code. A payment to the pool
    # itself would be none.
    self.isClaimed[epoch][nullifier] = True
    if recipient == self or not treasury._pay(recipient, amount - fee):
        self.isClaimed[epoch][nullifier] = False
        return TRANSFER_FAILED
    log Claimed(epoch=epoch, nullifier=nullifier, recipient=recipient, amount=amount, fee=fee)
    return PAID


@internal
def _close(relayer: address, fees: uint256, pool: uint256, amount: uint256, paid: uint256):
    """
    @notice Pay the fees, and see that no more left the pool than was paid.
    """
    assert relayer != self and treasury._pay(relayer, fees), "distributor: transfer failed"
    allowance._spend(paid * amount, paid)
    assert treasury._balance() + paid * amount >= pool, "distributor: token took more"


@internal
@pure
def _reason(outcome: uint256) -> String[32]:
    if outcome == ALREADY_CLAIMED:
        return "already claimed"
    if outcome == POOL_TOO_LOW:
        return "pool too low"
    return "transfer failed"


@internal
@view
def _scope(epoch: uint256) -> uint256:
    return convert(keccak256(abi_encode(chain.id, self, epoch)), uint256)


@internal
@pure
def _message(recipient: address, fee: uint256, relayer: address) -> uint256:
    return convert(keccak256(abi_encode(recipient, fee, relayer)), uint256)


@internal
@pure
def _signal(preimage: uint256) -> uint256:
    # Semaphore hashes message and scope into the field: keccak256, less its lowest byte.
    return convert(keccak256(abi_encode(preimage)), uint256) >> 8


@internal
@pure
def _weight(transcript: bytes32, index: uint256) -> uint256:
    # 128 bits: a sum in which not every equation holds is 0 for one choice in 2^128.
    return convert(keccak256(abi_encode(transcript, index)), uint256) >> 128


@internal
@pure
def _add_product(sum: uint256, weight: uint256, signal: uint256) -> uint256:
    product: uint256 = uint256_mulmod(weight, signal, verifier.FIELD_ORDER)
    return uint256_addmod(sum, product, verifier.FIELD_ORDER)
