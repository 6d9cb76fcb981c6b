from dataclasses import replace

import pytest

from identity_proofs import lean_imt
from identity_proofs.errors import InvalidCommitment, MemberExists, UnknownMember
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.group import Group
from identity_proofs.poseidon import poseidon, poseidon_pairs


def test_empty_group_has_root_0() -> None:
    group = Group()
    assert (group.root, group.size, group.depth, group.members) == (0, 0, 0, ())


def test_three_members_by_hand() -> None:
    group = Group([1, 2, 3])
    left = poseidon((1, 2))
    assert group.root == poseidon((left, 3))
    proof = group.proof(2)
    assert (proof.index, proof.siblings) == (1, (left,))
    assert (1 in group, 4 in group) == (True, False)


@pytest.mark.parametrize("bad", [0, -1, SCALAR_FIELD])
def test_invalid_commitments_are_refused(bad: int) -> None:
    group = Group([1, 2])
    with pytest.raises(InvalidCommitment):
        group.insert(bad)
    with pytest.raises(InvalidCommitment):
        group.update(0, bad)
    assert group.members == (1, 2)


def test_a_refused_batch_leaves_nothing_behind() -> None:
    group = Group([1, 2])
    root = group.root
    for batch in ([3, 2], [3, 3], [3, 0]):
        with pytest.raises((MemberExists, InvalidCommitment)):
            group.insert_many(batch)
    assert (group.members, group.root) == ((1, 2), root)
    group.insert(3)
    assert group.index_of(3) == 2


def test_update_to_another_member_is_refused() -> None:
    with pytest.raises(MemberExists):
        Group([1, 2]).update(0, 2)


def test_removed_index_is_never_used_again() -> None:
    group = Group([1, 2, 3])
    group.remove(1)
    assert group.members == (1, 0, 3)
    for use in (group.remove, group.proof, lambda index: group.update(index, 9)):
        with pytest.raises(UnknownMember):
            use(1)
    with pytest.raises(UnknownMember):
        group.index_of(2)
    group.insert(2)
    assert group.index_of(2) == 3


@pytest.mark.parametrize("index", [-1, 2])
def test_index_outside_the_group_is_unknown(index: int) -> None:
    with pytest.raises(UnknownMember):
        Group([1, 2]).proof(index)


def test_insert_many_hashes_each_changed_parent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(range(1, 6))
    hashed: list[bytes] = []

    def counting(pairs: bytes) -> bytes:
        hashed.extend(pairs[at : at + 64] for at in range(0, len(pairs), 64))
        return poseidon_pairs(pairs)

    monkeypatch.setattr(lean_imt, "poseidon_pairs", counting)
    group.insert_many(range(6, 12))
    # Over leaves 5..10, by level; at the first and third a lone last node is promoted.
    assert len(hashed) == len(set(hashed)) == 3 + 2 + 1 + 1


def test_changed_merkle_proof_does_not_verify() -> None:
    proof = Group(range(1, 8)).proof(5)
    assert proof.verify()
    changed = [
        replace(proof, leaf=7),
        replace(proof, root=proof.root + 1),
        replace(proof, index=proof.index ^ 1),
        replace(proof, index=proof.index + 8),
        replace(proof, siblings=proof.siblings[:-1]),
        replace(proof, siblings=(proof.siblings[0] + SCALAR_FIELD, *proof.siblings[1:])),
    ]
    assert not any(other.verify() for other in changed)
