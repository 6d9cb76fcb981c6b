"""Properties of the field's readers, the curve, the group and signatures."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_proofs import baby_jubjub
from identity_proofs.errors import InvalidCommitment, MalformedProof
from identity_proofs.field import SCALAR_FIELD, SUBGROUP_ORDER, parse_commitment
from identity_proofs.group import Group, MerkleProof
from identity_proofs.identity import Identity, verify_signature
from identity_proofs.lean_imt import are_in_field, encode_nodes
from identity_proofs.poseidon import poseidon_pairs, poseidon_pairs_reference
from identity_proofs.proof import SemaphoreProof, encode_signal

commitments = st.integers(1, SCALAR_FIELD - 1)
scalars = st.integers(0, SUBGROUP_ORDER - 1)
words = st.integers(0, 2**256 - 1)
member_lists = st.lists(commitments, min_size=1, max_size=12, unique=True)


@given(commitments)
def test_commitment_is_read_in_both_bases(commitment: int) -> None:
    assert parse_commitment(str(commitment)) == parse_commitment(hex(commitment)) == commitment


@given(st.text())
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        commitment = parse_commitment(text)
    except InvalidCommitment:
        return
    assert 0 < commitment < SCALAR_FIELD


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, SCALAR_FIELD - 1), max_size=9), st.data())
def test_the_kernel_hashes_pairs_as_the_reference_does(
    values: list[int], data: st.DataObject
) -> None:
    pairs = encode_nodes(values[: len(values) // 2 * 2])
    assert poseidon_pairs(pairs) == poseidon_pairs_reference(pairs)
    above = data.draw(st.integers(SCALAR_FIELD, 2**256 - 1)).to_bytes(32, "little")
    for wrong in (pairs + bytes(32), pairs + bytes(32) + above):
        for hash_pairs in (poseidon_pairs, poseidon_pairs_reference):
            with pytest.raises(ValueError, match=r"64 bytes|in \[0, r"):
                hash_pairs(wrong)


@given(st.lists(st.integers(SCALAR_FIELD - 2**192, SCALAR_FIELD + 2**192) | words, max_size=4))
def test_nodes_in_field_are_told_from_others(values: list[int]) -> None:
    assert are_in_field(encode_nodes(values)) == all(value < SCALAR_FIELD for value in values)


@settings(max_examples=15, deadline=None)
@given(scalars, scalars)
def test_multiplication_is_a_homomorphism(a: int, b: int) -> None:
    base = baby_jubjub.BASE
    total = baby_jubjub.multiply(base, (a + b) % SUBGROUP_ORDER)
    assert total == baby_jubjub.add(baby_jubjub.multiply(base, a), baby_jubjub.multiply(base, b))
    assert baby_jubjub.is_on_curve(total)


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=200), st.integers(0, SCALAR_FIELD - 1), st.integers(0, 255))
def test_a_changed_bit_breaks_a_signature(key: bytes, message: int, bit: int) -> None:
    identity = Identity.from_private_key(key)
    signature = identity.sign(message)
    public_key = identity.public_key
    assert Identity.from_export(identity.export()).commitment == identity.commitment
    assert verify_signature(public_key, message, signature)
    assert not verify_signature(public_key, message ^ 1 << bit, signature)
    assert not verify_signature(public_key, message, replace(signature, s=signature.s ^ 1 << bit))


@settings(max_examples=25, deadline=None)
@given(member_lists, st.data())
def test_every_way_to_the_same_members_gives_the_same_root(
    members: list[int], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(members)))
    whole, parts, single = Group(members), Group(members[:cut]), Group()
    parts.insert_many(members[cut:])
    for member in members:
        single.insert(member)
    assert whole.root == parts.root == single.root
    assert whole.depth == (len(members) - 1).bit_length()


@settings(max_examples=25, deadline=None)
@given(member_lists, commitments, st.data())
def test_update_there_and_back_restores_the_root(
    members: list[int], other: int, data: st.DataObject
) -> None:
    group = Group(members)
    root = group.root
    index = data.draw(st.integers(0, len(members) - 1))
    if other in members:
        return
    group.update(index, other)
    assert group.root != root
    group.update(index, members[index])
    assert (group.root, group.members) == (root, tuple(members))


@settings(max_examples=25, deadline=None)
@given(member_lists, st.data())
def test_a_changed_bit_breaks_a_merkle_proof(members: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(members) - 1))
    proof = Group(members).proof(index)
    assert proof.verify()
    bit = 1 << data.draw(st.integers(0, 255))
    assert not replace(proof, leaf=proof.leaf ^ bit).verify()
    assert not replace(proof, root=proof.root ^ bit).verify()
    for level, sibling in enumerate(proof.siblings):
        siblings = (*proof.siblings[:level], sibling ^ bit, *proof.siblings[level + 1 :])
        assert not MerkleProof(proof.root, proof.leaf, proof.index, siblings).verify()


@given(st.integers(1, 32), st.tuples(*[words] * 4), st.tuples(*[words] * 8))
def test_proof_json_goes_both_ways(
    depth: int,
    signals: tuple[int, int, int, int],
    points: tuple[int, int, int, int, int, int, int, int],
) -> None:
    proof = SemaphoreProof(depth, *signals, points)
    assert SemaphoreProof.from_json(proof.to_json()) == proof


@given(st.text())
def test_no_text_crashes_the_proof_reader(text: str) -> None:
    with pytest.raises(MalformedProof):
        SemaphoreProof.from_json(text)


@given(words)
def test_signal_is_read_from_integer_text_and_bytes(value: int) -> None:
    for form in (value, str(value), hex(value), value.to_bytes(32, "big")):
        assert encode_signal(form) == value
