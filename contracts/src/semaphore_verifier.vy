# pragma version ==0.4.3
"""
@title Semaphore v4 proof verifier
@license MIT
@notice Groth16 over BN254 by the precompiles of EIP-196 and EIP-197, for one tree depth: that of
        `verification_key`. One proof by `_verify`; many in one product of pairings by the
        functions below it, with which a caller builds a random linear combination.
        A valid proof says only that the four signals belong together. It does not say that the
        root is one to trust (anybody can prove root 0), that the nullifier is fresh, or that
        message and scope are the expected ones: those are the caller's to check.
"""

from . import verification_key as vk

# Order of the BN254 scalar field: signals are its elements.
FIELD_ORDER: constant(uint256) = 21888242871839275222246405745257275088548364400416034343698204186575808495617

ECMUL: constant(address) = 0x0000000000000000000000000000000000000007
ECPAIRING: constant(address) = 0x0000000000000000000000000000000000000008


@internal
@view
def _verify(signals: uint256[4], points: uint256[8]) -> bool:
    """
    @notice Whether `points` prove `signals`.
    @param signals The public signals, in the circuit's order: Merkle root, nullifier, hash of
           the message, hash of the scope. A signal that is not below `FIELD_ORDER` is never
           proved: it would be another name for its remainder.
    @param points A.x, A.y, B.x, B.y, C.x, C.y; of each coordinate of B the imaginary part first.
    @return False also for coordinates outside the base field and for points that are off the
            curve or outside the subgroup: the pairing precompile fails on them.
    """
    for signal: uint256 in signals:
        if signal >= FIELD_ORDER:
            return False

    linear: uint256[2] = [vk.IC0_X, vk.IC0_Y]
    linear = ecadd(linear, ecmul([vk.IC1_X, vk.IC1_Y], signals[0]))
    linear = ecadd(linear, ecmul([vk.IC2_X, vk.IC2_Y], signals[1]))
    linear = ecadd(linear, ecmul([vk.IC3_X, vk.IC3_Y], signals[2]))
    linear = ecadd(linear, ecmul([vk.IC4_X, vk.IC4_Y], signals[3]))

    pairs: uint256[6][4] = [
        [points[0], points[1], points[2], points[3], points[4], points[5]],
        self._alpha_pair([vk.MINUS_ALPHA_X, vk.MINUS_ALPHA_Y]),
        self._gamma_pair(linear),
        self._delta_pair([points[6], points[7]]),
    ]
    answered: bool = False
    answer: Bytes[32] = b""
    answered, answer = raw_call(
        ECPAIRING, abi_encode(pairs), max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    return answered and len(answer) == 32 and convert(answer, uint256) == 1


@internal
@view
def _weigh(point: uint256[2], weight: uint256) -> uint256[2]:
    """
    @return `weight` times a proof's A. Reverts on coordinates outside the base field and on a
            point off the curve, as the precompile does.
    """
    multiplied: bool = False
    answer: Bytes[64] = b""
    multiplied, answer = raw_call(
        ECMUL,
        abi_encode(point, weight),
        max_outsize=64,
        is_static_call=True,
        revert_on_failure=False,
    )
    assert multiplied and len(answer) == 64, "distributor: invalid proof"
    return abi_decode(answer, uint256[2])


@internal
@view
def _closing_pairs(sums: uint256[5], folded: uint256[2]) -> uint256[6][3]:
    """
    @notice What remains to be paired once each weighted A is paired with its B.
    @param sums The sum of the weights, and for each signal the weighted sum over all proofs,
           modulo `FIELD_ORDER`.
    @param folded The weighted sum of each proof's C.
    """
    linear: uint256[2] = ecmul([vk.IC0_X, vk.IC0_Y], sums[0])
    linear = ecadd(linear, ecmul([vk.IC1_X, vk.IC1_Y], sums[1]))
    linear = ecadd(linear, ecmul([vk.IC2_X, vk.IC2_Y], sums[2]))
    linear = ecadd(linear, ecmul([vk.IC3_X, vk.IC3_Y], sums[3]))
    linear = ecadd(linear, ecmul([vk.IC4_X, vk.IC4_Y], sums[4]))
    return [
        self._alpha_pair(ecmul([vk.MINUS_ALPHA_X, vk.MINUS_ALPHA_Y], sums[0])),
        self._gamma_pair(linear),
        self._delta_pair(folded),
    ]


@internal
@pure
def _alpha_pair(point: uint256[2]) -> uint256[6]:
    return [
        point[0], point[1], vk.BETA_X_IM, vk.BETA_X_RE, vk.BETA_Y_IM, vk.BETA_Y_RE
    ]


@internal
@pure
def _gamma_pair(point: uint256[2]) -> uint256[6]:
    return [
        point[0], point[1],
        vk.MINUS_GAMMA_X_IM, vk.MINUS_GAMMA_X_RE, vk.MINUS_GAMMA_Y_IM, vk.MINUS_GAMMA_Y_RE,
    ]


@internal
@pure
def _delta_pair(point: uint256[2]) -> uint256[6]:
    return [
        point[0], point[1],
        vk.MINUS_DELTA_X_IM, vk.MINUS_DELTA_X_RE, vk.MINUS_DELTA_Y_IM, vk.MINUS_DELTA_Y_RE,
    ]
