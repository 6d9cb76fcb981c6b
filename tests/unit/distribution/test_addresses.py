"""Addresses as ERC-55 writes them."""

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from distribution.addresses import checksum_address, parse_address
from distribution.errors import AddressInvalid

ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


@given(st.binary(min_size=20, max_size=20))
def test_the_checksum_is_the_librarys(address: bytes) -> None:
    assert checksum_address(address) == to_checksum_address(address)


@pytest.mark.parametrize(
    "text", [ADDRESS, ADDRESS.lower(), "0x" + ADDRESS[2:].upper(), ADDRESS[2:], "0X" + ADDRESS[2:]]
)
def test_what_a_person_may_type(text: str) -> None:
    assert parse_address(text) == ADDRESS


@pytest.mark.parametrize(
    "text", ["", "0x", ADDRESS[:-1], ADDRESS + "0", ADDRESS.replace("E", "e"), ADDRESS[:-1] + "g"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressInvalid):
        parse_address(text)
