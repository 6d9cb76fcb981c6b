# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title A token that reverts for a recipient on its list, and takes a surcharge from the sender
"""

balanceOf: public(HashMap[address, uint256])
isFrozen: public(HashMap[address, bool])
surcharge: public(uint256)


@external
def mint(owner: address, amount: uint256):
    self.balanceOf[owner] += amount


@external
def freeze(owner: address, frozen: bool):
    self.isFrozen[owner] = frozen


@external
def setSurcharge(surcharge: uint256):
    self.surcharge = surcharge


@external
def transfer(to: address, amount: uint256) -> bool:
    assert not self.isFrozen[to], "frozen"
    self.balanceOf[msg.sender] -= amount + self.surcharge
    self.balanceOf[to] += amount
    return True
