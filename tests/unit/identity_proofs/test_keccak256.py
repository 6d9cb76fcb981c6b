import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_proofs.keccak256 import keccak256


@pytest.mark.parametrize("length", [0, 1, 32, 134, 135, 136, 137, 271, 272, 400])
def test_lengths_about_the_block_equal_another_implementation(length: int) -> None:
    assert keccak256(b"\xa5" * length) == keccak(b"\xa5" * length)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_equal_another_implementation(data: bytes) -> None:
    assert keccak256(data) == keccak(data)
