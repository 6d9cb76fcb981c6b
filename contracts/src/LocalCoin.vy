# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Local coin
@license MIT
@notice The ERC-20 with which a local chain is tried out: 18 decimals, and whoever deployed it
        mints as much as they like. Worth nothing, and meant to be.
@custom:reverts
        "coin: not the minter"
        "coin: zero address"         nobody can own what is sent there
        "coin: balance too low"
        "coin: allowance too low"
"""

from ethereum.ercs import IERC20

implements: IERC20

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256


# @notice The coin's name and its ticker.
name: public(String[25])
symbol: public(String[5])

# @notice Decimal places of a coin.
decimals: public(constant(uint8)) = 18

# @notice How many smallest units there are.
totalSupply: public(uint256)

# @notice How many of them an address owns.
balanceOf: public(HashMap[address, uint256])

# @notice How many of an owner's a spender may move: owner -> spender -> units.
allowance: public(HashMap[address, HashMap[address, uint256]])

# @notice Who deployed the coin, and mints it.
minter: public(immutable(address))


@deploy
def __init__(name: String[25], symbol: String[5]):
    """
    @param name The coin's name.
    @param symbol Its ticker.
    """
    self.name = name
    self.symbol = symbol
    minter = msg.sender


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Move `amount` of the sender's.
    @return True.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Move `amount` of `owner`, who allowed it.
    @return True.
    """
    assert self.allowance[owner][msg.sender] >= amount, "coin: allowance too low"
    self.allowance[owner][msg.sender] -= amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Allow `spender` to move up to `amount` of the sender's.
    @return True.
    """
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def mint(to: address, amount: uint256):
    """
    @notice Make `amount` new units for `to`.
    """
    assert msg.sender == minter, "coin: not the minter"
    assert to != empty(address), "coin: zero address"
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, value=amount)


@internal
def _move(owner: address, to: address, amount: uint256):
    assert to != empty(address), "coin: zero address"
    balance: uint256 = self.balanceOf[owner]
    assert balance >= amount, "coin: balance too low"
    self.balanceOf[owner] = balance - amount
    self.balanceOf[to] += amount
    log Transfer(sender=owner, receiver=to, value=amount)
