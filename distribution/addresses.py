"""Addresses as a person types them, and with the checksum of their letters' case (ERC-55)."""

import re

from distribution.errors import AddressInvalid
from distribution.hashing import keccak

_ADDRESS = re.compile(r"(0x)?[0-9a-f]{40}", re.IGNORECASE | re.ASCII)


def parse_address(text: str) -> str:
    """The checksum form of a 20-byte address.

    Raises:
        AddressInvalid: it is none, or its mixed case is not its checksum.
    """
    if _ADDRESS.fullmatch(text):
        digits = text[-40:]
        checksummed = checksum_address(bytes.fromhex(digits))
        if digits in {checksummed[2:], digits.lower(), digits.upper()}:
            return checksummed
    raise AddressInvalid(
        f"{text} is not an address: give 0x and 40 hexadecimal digits, copied whole"
    )


def checksum_address(address: bytes) -> str:
    """0x and the digits of 20 bytes, with the letters upper where the hash of all has a bit."""
    digits = address.hex()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if mark >= "8" else digit for digit, mark in zip(digits, hashed, strict=False)
    )
