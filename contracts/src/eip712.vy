# pragma version ==0.4.3
"""
@title Digests to sign (EIP-712)
@license MIT
@notice What a signer is shown and signs: a structure, bound to one contract on one chain.
"""

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
VERSION: constant(bytes32) = keccak256("1")


@internal
@view
def _digest(name: bytes32, structure: bytes32) -> bytes32:
    """
    @param name keccak256 of the contract's name.
    @param structure hashStruct of the message.
    @return What is signed. The chain is asked anew each time: after a fork of it, signatures made
            for one branch do not count on the other.
    """
    domain: bytes32 = keccak256(abi_encode(DOMAIN_TYPE, name, VERSION, chain.id, self))
    return keccak256(concat(0x1901, domain, structure))
