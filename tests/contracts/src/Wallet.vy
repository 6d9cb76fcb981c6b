# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title A recipient of the native coin that takes it, refuses it, burns gas, calls back,
       or refuses it with 32,000 bytes
"""

TAKE: constant(uint256) = 0
REFUSE: constant(uint256) = 1
BURN: constant(uint256) = 2
CALL_BACK: constant(uint256) = 3
ANSWER_AT_LENGTH: constant(uint256) = 4

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
    if self.mood == ANSWER_AT_LENGTH:
        raw_revert(abi_encode(empty(uint256[1000])))
    accepted: bool = raw_call(msg.sender, self.message, revert_on_failure=False)
    self.wasRefused = not accepted
