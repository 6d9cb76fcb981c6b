# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title A recipient of the native coin that takes it, refuses it, burns gas, or calls back
"""

TAKE: constant(uint256) = 0
REFUSE: constant(uint256) = 1
BURN: constant(uint256) = 2
CALL_BACK: constant(uint256) = 3

mood: public(uint256)
message: Bytes[1024]
wasRefused: public(bool)


@external
def setMood(mood: uint256):
    self.mood = mood


@external
def setMessage(message: Bytes[1024]):
    self.message = message


@external
@payable
def __default__():
    if self.mood == TAKE:
        return
    assert self.mood != REFUSE, "no, thank you"
    if self.mood == BURN:
        for i: uint256 in range(10**9):
            self.message = b""
    accepted: bool = raw_call(msg.sender, self.message, revert_on_failure=False)
    self.wasRefused = not accepted
