# pragma version ==0.4.3
"""
@title A set of attesters, m of whom must sign
@license MIT
@notice The set has a version, so that what was signed for one set does not count for the next.
        It changes only by a quorum of itself: nobody owns it.
@custom:reverts
        "registry: no quorum"                a quorum of 0, or of more than the attesters
        "registry: attesters not ascending"  sorted by address, none zero, none twice
        "registry: too few signatures"       fewer than the quorum
        "registry: malleable signature"      `s` is in the upper half of the group's order
        "registry: invalid signature"        no key made it
        "registry: signers not ascending"    sorted by address, none twice
        "registry: unknown signer"           not an attester of the current set
"""

# The most attesters there can be.
MAX_ATTESTERS: constant(uint256) = 32

# Half the order of secp256k1 (EIP-2): of the two signatures (r, s) and (r, n - s) the lower counts.
HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168


event AttestersChanged:
    attesterSet: indexed(uint256)
    attesters: DynArray[address, MAX_ATTESTERS]
    quorum: uint256


# @notice Version of the attester set, counted from 1.
attesterSet: public(uint256)

# @notice How many attesters must sign.
quorum: public(uint256)

_attesters: DynArray[address, MAX_ATTESTERS]
_is_attester: HashMap[uint256, HashMap[address, bool]]


@deploy
def __init__(attesters_: DynArray[address, MAX_ATTESTERS], quorum_: uint256):
    """
    @param attesters_ The first attesters, ascending by address.
    @param quorum_ How many of them must sign.
    """
    self._install(attesters_, quorum_)


@external
@view
def attesters() -> DynArray[address, MAX_ATTESTERS]:
    """
    @return The current attesters, ascending by address.
    """
    return self._attesters


@external
@view
def requireQuorum(
    digest: bytes32, signatures: DynArray[uint256[2], MAX_ATTESTERS]
) -> bool:
    """
    @notice Revert unless a quorum of the current attesters signed `digest`. For other contracts,
            which build digests of their own.
    @param digest What was signed.
    @param signatures Compact signatures (EIP-2098), ascending by signer.
    @return True.
    """
    self._require(digest, signatures)
    return True


@internal
@view
def _require(digest: bytes32, signatures: DynArray[uint256[2], MAX_ATTESTERS]):
    assert len(signatures) >= self.quorum, "registry: too few signatures"
    current: uint256 = self.attesterSet
    last: address = empty(address)
    for signature: uint256[2] in signatures:
        s: uint256 = signature[1] & (2**255 - 1)
        assert s <= HALF_ORDER, "registry: malleable signature"
        signer: address = ecrecover(digest, 27 + (signature[1] >> 255), signature[0], s)
        assert signer != empty(address), "registry: invalid signature"
        assert convert(signer, uint160) > convert(last, uint160), "registry: signers not ascending"
        assert self._is_attester[current][signer], "registry: unknown signer"
        last = signer


@internal
def _install(attesters_: DynArray[address, MAX_ATTESTERS], quorum_: uint256):
    assert 0 < quorum_ and quorum_ <= len(attesters_), "registry: no quorum"
    version: uint256 = self.attesterSet + 1
    last: address = empty(address)
    for attester: address in attesters_:
        assert (
            convert(attester, uint160) > convert(last, uint160)
        ), "registry: attesters not ascending"
        self._is_attester[version][attester] = True
        last = attester
    self.attesterSet = version
    self.quorum = quorum_
    self._attesters = attesters_
    log AttestersChanged(attesterSet=version, attesters=attesters_, quorum=quorum_)
