"""RFC 6962's tree: published vectors, every pair of sizes up to 64, and proofs that do not hold."""

from base64 import b64decode
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transparency.errors import LogRangeInvalid, ProofInvalid
from transparency.merkle import (
    EMPTY_ROOT,
    Frontier,
    MemoryTree,
    Range,
    fold,
    leaf_hash,
    node_hash,
    subtrees,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots that implementations of RFC 6962 have been tested with since the first.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# From the test data of transparency-dev/merkle: (index, size, proof) and (first, second, proof).
INCLUSION = [
    (
        5,
        8,
        "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= "
        "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ),
    (
        1,
        5,
        "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
        "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
    ),
]
CONSISTENCY = [
    (
        2,
        5,
        "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
    ),
    (
        6,
        8,
        "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= "
        "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    ),
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
MANY = [leaf_hash(bytes([number])) for number in range(64)]


def decoded(proof: str) -> list[bytes]:
    return [b64decode(part) for part in proof.split()]


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, as it is written there."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY_ROOT
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert MemoryTree(HASHES).root(size).hex() == ROOTS[size]
    assert plain_root(HASHES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_published_inclusion_proofs(index: int, size: int, proof: str) -> None:
    root = bytes.fromhex(ROOTS[size])
    assert MemoryTree(HASHES).inclusion(index, size) == decoded(proof)
    verify_inclusion(HASHES[index], index, size, decoded(proof), root)


@pytest.mark.parametrize(("first", "second", "proof"), CONSISTENCY)
def test_published_consistency_proofs(first: int, second: int, proof: str) -> None:
    roots = bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second])
    assert MemoryTree(HASHES).consistency(first, second) == decoded(proof)
    verify_consistency(first, second, decoded(proof), *roots)


def test_all_leaves_are_shown_in_every_size_up_to_64() -> None:
    tree = MemoryTree(MANY)
    for size in range(1, 65):
        root = plain_root(MANY[:size])
        assert tree.root(size) == root
        for index in range(size):
            verify_inclusion(MANY[index], index, size, tree.inclusion(index, size), root)


def test_every_pair_of_sizes_up_to_64_is_consistent() -> None:
    tree = MemoryTree(MANY)
    roots = [tree.root(size) for size in range(65)]
    for second in range(65):
        for first in range(second + 1):
            proof = tree.consistency(first, second)
            verify_consistency(first, second, proof, roots[first], roots[second])
            if 0 < first < second:
                with pytest.raises(ProofInvalid):
                    verify_consistency(first, second, proof, roots[first - 1], roots[second])
                with pytest.raises(ProofInvalid):
                    verify_consistency(first, second, proof, roots[first], roots[second - 1])


@given(st.data())
def test_a_tampered_inclusion_proof_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 64))
    index = data.draw(st.integers(0, size - 1))
    tree = MemoryTree(MANY)
    proof, root = tree.inclusion(index, size), tree.root(size)
    wrong = data.draw(st.sampled_from(tampered(proof)))
    with pytest.raises(ProofInvalid):
        verify_inclusion(MANY[index], index, size, wrong, root)
    for other in {data.draw(st.integers(-1, size)), index + 1} - {index}:
        with pytest.raises(ProofInvalid):
            verify_inclusion(MANY[index], other, size, proof, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(bytes(32), index, size, proof, root)


@given(st.data())
def test_a_tampered_consistency_proof_fails(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, 64))
    first = data.draw(st.integers(0, second))
    tree = MemoryTree(MANY)
    proof = tree.consistency(first, second)
    wrong = data.draw(st.sampled_from(tampered(proof)))
    with pytest.raises(ProofInvalid):
        verify_consistency(first, second, wrong, tree.root(first), tree.root(second))


@given(st.sets(st.integers(0, 63), min_size=1), st.integers(0, 63))
def test_a_changed_leaf_changes_every_later_root(changed: set[int], size: int) -> None:
    tree = MemoryTree(MANY)
    other = MemoryTree(bytes(32) if n in changed else leaf for n, leaf in enumerate(MANY))
    assert (tree.root(size) == other.root(size)) == (size <= min(changed))


def test_what_there_is_not_is_refused() -> None:
    tree = MemoryTree(MANY)
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(LogRangeInvalid):
            tree.inclusion(index, size)
    for first, second in ((6, 5), (-1, 5)):
        with pytest.raises(LogRangeInvalid):
            tree.consistency(first, second)
        with pytest.raises(ProofInvalid):
            verify_consistency(first, second, [], EMPTY_ROOT, EMPTY_ROOT)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_range_splits_into_subtrees_without_gap(begin: int, length: int) -> None:
    nodes = subtrees(Range(begin, begin + length))
    edges = [(n.number << n.level, (n.number + 1) << n.level) for n in nodes]
    assert all(left[1] == right[0] for left, right in pairwise(edges))
    assert sum(end - start for start, end in edges) == length
    assert len(nodes) <= 2 * (begin + length).bit_length()


@given(st.integers(0, 64))
def test_a_frontier_knows_the_root_and_completes_each_subtree_once(size: int) -> None:
    frontier, completed = Frontier(), []
    for leaf in MANY[:size]:
        completed += frontier.append(leaf)
    assert (frontier.size, frontier.root) == (size, plain_root(MANY[:size]))
    assert fold(frontier.hashes) == frontier.root
    nodes = [node for node, _ in completed]
    assert len(nodes) == len(set(nodes)) == 2 * size - size.bit_count()


def tampered(proof: list[bytes]) -> list[list[bytes]]:
    flipped = [
        [*proof[:at], bytes([part[0] ^ 1]) + part[1:], *proof[at + 1 :]]
        for at, part in enumerate(proof)
    ]
    shorter = [proof[1:], proof[:-1]] if proof else []
    swapped = [proof[::-1]] if len(set(proof)) > 1 else []
    return [*flipped, *shorter, *swapped, [*proof, bytes(32)], [bytes(32), *proof]]
