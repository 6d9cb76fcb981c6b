# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Personhood registry
@license MIT
@notice Holds the root of the membership group, a LeanIMT of identity commitments whose hashing
        happens off the chain. Every change is posted with the leaves that it added and removed,
        so that anybody can rebuild the tree, and check each root, from the `RootUpdated` events
        alone.
        Nobody owns it. An update counts when m of n attesters signed it, each of whom recomputed
        the root and checked the decision log up to `checkpoint`; who sends it does not matter.
        The same quorum changes the attesters.
@custom:reverts See also `attester_set`.
        "registry: wrong previous root"      `prevRoot` is not the current root
        "registry: zero root"                `newRoot` is 0, the root that needs no member
        "registry: unchanged root"           `newRoot` is the current root
        "registry: root out of field"        `newRoot` is not below the order of the field
        "registry: empty update"             nothing added, nothing removed
        "registry: wrong first index"        the new leaves would leave a gap, or overlap
        "registry: zero commitment"          0 stands for a removed leaf
        "registry: commitment out of field"  a commitment is not below the order of the field
        "registry: removal out of range"     a removal is not an index of a leaf there before
        "registry: removals not ascending"   removals must be sorted, each named once
"""

from . import eip712
from . import attester_set
from . import semaphore_verifier as verifier

initializes: attester_set

exports: (attester_set.attesterSet, attester_set.quorum, attester_set.attesters, attester_set.requireQuorum)

# The most leaves that one update can add, and the most that it can remove.
MAX_BATCH: constant(uint256) = 512

NAME: constant(bytes32) = keccak256("PersonhoodRegistry")
UPDATE_TYPE: constant(bytes32) = keccak256(
    "Update(uint256 attesterSet,uint256 prevRoot,uint256 newRoot,uint256 firstIndex,bytes32 batch,bytes32 checkpoint)"
)
CHANGE_TYPE: constant(bytes32) = keccak256(
    "AttesterChange(uint256 attesterSet,address[] attesters,uint256 quorum)"
)


event RootUpdated:
    prevRoot: indexed(uint256)
    newRoot: indexed(uint256)
    firstIndex: uint256
    commitments: DynArray[uint256, MAX_BATCH]
    removals: DynArray[uint256, MAX_BATCH]
    checkpoint: bytes32


# @notice Root of the group; 0 while it has no member.
root: public(uint256)

# @notice Number of leaves, the removed ones included: the index of the next.
size: public(uint256)

# @notice Digest of the decision log that the newest root was checked against.
checkpoint: public(bytes32)


@deploy
def __init__(attesters: DynArray[address, attester_set.MAX_ATTESTERS], quorum_: uint256):
    """
    @param attesters The first attesters, ascending by address.
    @param quorum_ How many of them must sign.
    """
    attester_set.__init__(attesters, quorum_)


@external
def update(
    prevRoot: uint256,
    newRoot: uint256,
    firstIndex: uint256,
    commitments: DynArray[uint256, MAX_BATCH],
    removals: DynArray[uint256, MAX_BATCH],
    checkpoint: bytes32,
    signatures: DynArray[uint256[2], attester_set.MAX_ATTESTERS],
):
    """
    @notice Post the group's next root and what changed since the last.
    @param prevRoot The current root: an update applies to the state it was made for, once.
    @param newRoot The root after the change.
    @param firstIndex Index of the first new leaf: the current `size`.
    @param commitments The new leaves, in order; at most 512.
    @param removals Indices of the leaves set to 0, ascending; at most 512.
    @param checkpoint Digest of the decision log that accounts for the change.
    @param signatures Of attesters over `Update`, compact (EIP-2098), ascending by signer;
           `batch` is keccak256(abi.encode(commitments, removals)).
    """
    assert prevRoot == self.root, "registry: wrong previous root"
    assert newRoot != 0, "registry: zero root"
    assert newRoot != prevRoot, "registry: unchanged root"
    assert newRoot < verifier.FIELD_ORDER, "registry: root out of field"
    assert len(commitments) + len(removals) > 0, "registry: empty update"

    size: uint256 = self.size
    assert firstIndex == size, "registry: wrong first index"
    for commitment: uint256 in commitments:
        assert commitment != 0, "registry: zero commitment"
        assert commitment < verifier.FIELD_ORDER, "registry: commitment out of field"
    lowest: uint256 = 0
    for removal: uint256 in removals:
        assert removal < size, "registry: removal out of range"
        assert removal >= lowest, "registry: removals not ascending"
        lowest = removal + 1

    batch: bytes32 = keccak256(abi_encode(commitments, removals))
    structure: bytes32 = keccak256(
        abi_encode(
            UPDATE_TYPE, attester_set.attesterSet, prevRoot, newRoot, firstIndex, batch, checkpoint
        )
    )
    attester_set._require(eip712._digest(NAME, structure), signatures)

    self.root = newRoot
    self.size = size + len(commitments)
    self.checkpoint = checkpoint
    log RootUpdated(
        prevRoot=prevRoot,
        newRoot=newRoot,
        firstIndex=firstIndex,
        commitments=commitments,
        removals=removals,
        checkpoint=checkpoint,
    )


@external
def changeAttesters(
    attesters: DynArray[address, attester_set.MAX_ATTESTERS],
    newQuorum: uint256,
    signatures: DynArray[uint256[2], attester_set.MAX_ATTESTERS],
):
    """
    @notice Replace the attesters and the quorum. Whatever was signed before and not yet posted is
            void: it names the version of the set that signed it.
    @param attesters The new attesters, ascending by address; at most 32.
    @param newQuorum How many of them must sign from now on.
    @param signatures Of the present attesters over `AttesterChange`.
    """
    # EIP-712 hashes an array as its elements alone, without their offset and their number.
    elements: bytes32 = keccak256(slice(abi_encode(attesters), 64, 32 * len(attesters)))
    structure: bytes32 = keccak256(
        abi_encode(CHANGE_TYPE, attester_set.attesterSet, elements, newQuorum)
    )
    attester_set._require(eip712._digest(NAME, structure), signatures)
    attester_set._install(attesters, newQuorum)
