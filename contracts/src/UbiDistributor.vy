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
        Nobody owns the contract, and what is in the pool leaves it only by claims.
@dev The token must move what it says it moves. One that keeps a part of each transfer pays people
     less than `amount`. One that returns nothing is fine, and so is one that returns False.
@custom:reverts
        "distributor: registry is no contract"
        "distributor: token is no contract"
        "distributor: zero amount"
        "distributor: zero epoch length"
        "distributor: before genesis"            the first epoch has not begun
        "distributor: registry has no members"   no root to freeze yet
        "distributor: epoch not claimable"       in the future, or more than `lateEpochs` ago
        "distributor: epoch never opened"        nobody called in it, so it has no root
        "distributor: zero recipient"
        "distributor: fee above amount"
        "distributor: fee without relayer"
        "distributor: nullifier out of field"    not below the order of the scalar field
        "distributor: already claimed"           this member was paid for this epoch
        "distributor: pool too low"              cannot pay now; the right to claim stays
        "distributor: invalid proof"
        "distributor: transfer failed"           the token said no; the right to claim stays
"""

from ethereum.ercs import IERC20

from . import semaphore_verifier as verifier


interface Registry:
    def root() -> uint256: view


event EpochOpened:
    epoch: indexed(uint256)
    root: uint256


event Claimed:
    epoch: indexed(uint256)
    nullifier: indexed(uint256)
    recipient: indexed(address)
    amount: uint256
    fee: uint256


event Donated:
    donor: indexed(address)
    amount: uint256


# @notice The registry whose members are paid.
registry: public(immutable(address))

# @notice The ERC-20 they are paid in.
token: public(immutable(address))

# @notice What one claim takes from the pool, the fee included, in the token's smallest unit.
amount: public(immutable(uint256))

# @notice When epoch 0 begins, in seconds since 1970.
genesis: public(immutable(uint256))

# @notice Seconds in an epoch.
epochLength: public(immutable(uint256))

# @notice For how many epochs after its own a claim can still be made.
lateEpochs: public(immutable(uint256))

# @notice The root frozen for an epoch; 0 if it was never opened.
epochRoot: public(HashMap[uint256, uint256])

# @notice Whether a nullifier was paid for in an epoch: epoch -> nullifier -> paid.
isClaimed: public(HashMap[uint256, HashMap[uint256, bool]])


@deploy
def __init__(
    registry_: address,
    token_: address,
    amount_: uint256,
    genesis_: uint256,
    epochLength_: uint256,
    lateEpochs_: uint256,
):
    """
    @param registry_ The personhood registry.
    @param token_ The ERC-20 to pay in.
    @param amount_ What one claim takes from the pool, in the token's smallest unit.
    @param genesis_ When epoch 0 begins, in seconds since 1970.
    @param epochLength_ Seconds in an epoch.
    @param lateEpochs_ For how many epochs after its own a claim can still be made.
    """
    assert registry_.is_contract, "distributor: registry is no contract"
    assert token_.is_contract, "distributor: token is no contract"
    assert amount_ > 0, "distributor: zero amount"
    assert epochLength_ > 0, "distributor: zero epoch length"
    registry = registry_
    token = token_
    amount = amount_
    genesis = genesis_
    epochLength = epochLength_
    lateEpochs = lateEpochs_


@external
@nonreentrant
def openEpoch() -> uint256:
    """
    @notice Freeze the current epoch's root, if nobody has yet.
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
    @param recipient Who gets `amount - fee`.
    @param fee What the relayer gets, in the token's smallest unit.
    @param relayer Who gets the fee; zero if there is none.
    @param nullifier The proof's nullifier.
    @param points The proof, in the order of `semaphore_verifier`.
    """
    # 1. The epoch has a root, and it is not too late.
    current: uint256 = self._current_epoch()
    self._open(current)
    assert epoch <= current and current - epoch <= lateEpochs, "distributor: epoch not claimable"
    root: uint256 = self.epochRoot[epoch]
    assert root != 0, "distributor: epoch never opened"

    # 2. The terms make sense.
    assert recipient != empty(address), "distributor: zero recipient"
    assert fee <= amount, "distributor: fee above amount"
    assert fee == 0 or relayer != empty(address), "distributor: fee without relayer"

    # 3. This member was not paid for this epoch, and can be.
    assert nullifier < verifier.FIELD_ORDER, "distributor: nullifier out of field"
    assert not self.isClaimed[epoch][nullifier], "distributor: already claimed"
    assert staticcall IERC20(token).balanceOf(self) >= amount, "distributor: pool too low"

    # 4. A member wants exactly this.
    message: uint256 = self._signal(self._message(recipient, fee, relayer))
    scope: uint256 = self._signal(self._scope(epoch))
    proven: bool = verifier._verify([root, nullifier, message, scope], points)
    assert proven, "distributor: invalid proof"

    # 5. Pay; the nullifier first, because the token is foreign code.
    self.isClaimed[epoch][nullifier] = True
    log Claimed(epoch=epoch, nullifier=nullifier, recipient=recipient, amount=amount, fee=fee)
    self._pay(recipient, amount - fee)
    self._pay(relayer, fee)


@external
@nonreentrant
def donate(tokens: uint256):
    """
    @notice Add to the pool from an allowance of the sender. A plain transfer does as well.
    @param tokens How many, in the token's smallest unit.
    """
    taken: bool = extcall IERC20(token).transferFrom(
        msg.sender, self, tokens, default_return_value=True
    )
    assert taken, "distributor: transfer failed"
    log Donated(donor=msg.sender, amount=tokens)


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
    @return When it can no longer be claimed, in seconds since 1970.
    """
    return genesis + (epoch + 1 + lateEpochs) * epochLength


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
        root = staticcall Registry(registry).root()
        assert root != 0, "distributor: registry has no members"
        self.epochRoot[epoch] = root
        log EpochOpened(epoch=epoch, root=root)
    return root


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
def _pay(payee: address, tokens: uint256):
    # Some tokens refuse to move nothing.
    if tokens > 0:
        moved: bool = extcall IERC20(token).transfer(payee, tokens, default_return_value=True)
        assert moved, "distributor: transfer failed"
