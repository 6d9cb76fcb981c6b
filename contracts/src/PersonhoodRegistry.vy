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
        The registrar, who alone may post, is the `owner` of snekmate's two-step ownership; it
        can be handed over, not given up.
@custom:reverts
        "ownable: caller is not the owner"   the sender is not the registrar
        "registry: zero registrar"           deployed without a registrar
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

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from . import semaphore_verifier as verifier

initializes: ownable
initializes: ownable_2step[ownable := ownable]

exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)

# The most leaves that one update can add, and the most that it can remove.
MAX_BATCH: constant(uint256) = 512


event RootUpdated:
    prevRoot: indexed(uint256)
    newRoot: indexed(uint256)
    firstIndex: uint256
    commitments: DynArray[uint256, MAX_BATCH]
    removals: DynArray[uint256, MAX_BATCH]


# @notice Root of the group; 0 while it has no member.
root: public(uint256)

# @notice Number of leaves, the removed ones included: the index of the next.
size: public(uint256)


@deploy
def __init__(registrar: address):
    """
    @param registrar Who may post roots.
    """
    assert registrar != empty(address), "registry: zero registrar"
    ownable.__init__()
    ownable_2step.__init__()
    ownable_2step._transfer_ownership(registrar)


@external
def update(
    prevRoot: uint256,
    newRoot: uint256,
    firstIndex: uint256,
    commitments: DynArray[uint256, MAX_BATCH],
    removals: DynArray[uint256, MAX_BATCH],
):
    """
    @notice Post the group's next root and what changed since the last.
    @param prevRoot The current root: an update applies to the state it was made for, once.
    @param newRoot The root after the change.
    @param firstIndex Index of the first new leaf: the current `size`.
    @param commitments The new leaves, in order; at most 512.
    @param removals Indices of the leaves set to 0, ascending; at most 512.
    """
    ownable._check_owner()
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

    self.root = newRoot
    self.size = size + len(commitments)
    log RootUpdated(
        prevRoot=prevRoot,
        newRoot=newRoot,
        firstIndex=firstIndex,
        commitments=commitments,
        removals=removals,
    )
