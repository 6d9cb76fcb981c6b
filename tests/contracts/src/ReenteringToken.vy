# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title A token that, while it is moved, calls its holder with a message set before
@notice Keeps whether the holder refused that call.
"""

balanceOf: public(HashMap[address, uint256])
message: Bytes[1024]
wasRefused: public(bool)


@external
def mint(owner: address, amount: uint256):
    self.balanceOf[owner] += amount


@external
def setMessage(message: Bytes[1024]):
    self.message = message


@external
def transfer(to: address, amount: uint256) -> bool:
    accepted: bool = raw_call(msg.sender, self.message, revert_on_failure=False)
    self.wasRefused = not accepted
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    return True
