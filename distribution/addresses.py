"""Addresses as a person types them."""

from eth_utils.address import is_checksum_formatted_address, is_hex_address, to_checksum_address

from distribution.errors import AddressInvalid


def parse_address(text: str) -> str:
    """The checksum form of a 20-byte address.

    Raises:
        AddressInvalid: it is none, or its mixed case is not its checksum.
    """
    if is_hex_address(text):
        checksummed = str(to_checksum_address(text))
        if text == checksummed or not is_checksum_formatted_address(text):
            return checksummed
    raise AddressInvalid(
        f"{text} is not an address: give 0x and 40 hexadecimal digits, copied whole"
    )
