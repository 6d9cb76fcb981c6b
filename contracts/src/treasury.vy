# pragma version ==0.4.3
"""
@title The pool, in an ERC-20 or in the chain's own coin
@license MIT
@notice Payees and tokens are foreign code. A payment that fails is an answer, not a revert; what
        the payee can burn is bounded; what it returns is not copied.
"""

from ethereum.ercs import IERC20

# What a payee of the native coin may spend: enough for a smart account that logs.
PAYEE_GAS: constant(uint256) = 50_000

# What the token may spend on one transfer; a proxied one takes less than 100,000.
TOKEN_GAS: constant(uint256) = 300_000

TRANSFER: constant(Bytes[4]) = method_id("transfer(address,uint256)")

# @notice The ERC-20 that is paid out; zero for the chain's own coin.
token: public(immutable(address))


@deploy
def __init__(token_: address):
    """
    @param token_ The ERC-20, or zero for the chain's own coin.
    """
    assert token_ == empty(address) or token_.is_contract, "distributor: token is no contract"
    token = token_


@internal
@view
def _balance() -> uint256:
    if token == empty(address):
        return self.balance
    return staticcall IERC20(token).balanceOf(self)


@internal
def _pay(payee: address, tokens: uint256) -> bool:
    """
    @return Whether it was paid. Nothing is always paid: some tokens refuse to move nothing.
    """
    if tokens == 0:
        return True
    if token == empty(address):
        return raw_call(payee, b"", value=tokens, gas=PAYEE_GAS, revert_on_failure=False)
    moved: bool = False
    answer: Bytes[32] = b""
    moved, answer = raw_call(
        token,
        abi_encode(payee, tokens, method_id=TRANSFER),
        max_outsize=32,
        gas=TOKEN_GAS,
        revert_on_failure=False,
    )
    return moved and (len(answer) == 0 or convert(answer, uint256) == 1)


@internal
@payable
def _take(tokens: uint256) -> uint256:
    """
    @notice Take a donation from the sender.
    @return How much arrived, which of a token that taxes transfers is less than was sent.
    """
    if token == empty(address):
        assert msg.value == tokens, "distributor: other value sent"
        return tokens
    assert msg.value == 0, "distributor: other value sent"
    before: uint256 = self._balance()
    taken: bool = extcall IERC20(token).transferFrom(
        msg.sender, self, tokens, default_return_value=True
    )
    assert taken, "distributor: transfer failed"
    return self._balance() - before
