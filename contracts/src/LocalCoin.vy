# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Local coin
@license MIT
@notice The ERC-20 with which a local chain is tried out: 18 decimals, and whoever deployed it
        mints as much as they like. Worth nothing, and meant to be.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.mint,
)


@deploy
def __init__(name: String[25], symbol: String[5]):
    """
    @param name The coin's name.
    @param symbol Its ticker.
    """
    ownable.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
