# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title A token that answers False and moves nothing
"""

balanceOf: public(HashMap[address, uint256])


@external
def mint(owner: address, amount: uint256):
    self.balanceOf[owner] += amount


@external
def transfer(to: address, amount: uint256) -> bool:
    return False


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    return False
