# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title A token that returns nothing from its transfers, as some old ones do
"""

balanceOf: public(HashMap[address, uint256])


@external
def mint(owner: address, amount: uint256):
    self.balanceOf[owner] += amount


@external
def transfer(to: address, amount: uint256):
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount


@external
def transferFrom(owner: address, to: address, amount: uint256):
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
