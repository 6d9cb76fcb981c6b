# pragma version ==0.4.3
# pragma evm-version cancun
"""
@title The verifier module alone, to ask it directly
"""

import semaphore_verifier as verifier


@external
@view
def verify(signals: uint256[4], points: uint256[8]) -> bool:
    return verifier._verify(signals, points)
