"""What is hashed and sent of a batch, beside the library's ABI."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from distribution.abi import Interface
from distribution.batch import ProvenClaim, draw_weights, encode_batch
from distribution.claims import compute_message
from distribution.deployment import DISTRIBUTOR

ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
OTHER = "0x" + "0b" * 20
CLAIMS = [ProvenClaim(ADDRESS, n, 2**255 + n, tuple(range(n, n + 8))) for n in range(3)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_batch_is_encoded_as_by_its_abi(count: int) -> None:
    claims, folded = CLAIMS[:count], (2**256 - 1, 5)
    arguments = (7, OTHER, [claim.entry for claim in claims], folded)
    expected = Interface(DISTRIBUTOR.abi).encode("claimBatch", arguments)
    assert encode_batch(7, OTHER, claims, folded) == expected


def test_weights_hash_what_abi_encode_gives() -> None:
    header = ["bytes32", *["uint256"] * 2, "address", *["uint256"] * 2, "address", "uint256"]
    name = keccak(text="UbiDistributor.claimBatch")
    transcript = keccak(encode(header, [name, 27, 1, ADDRESS, 3, 4, OTHER, len(CLAIMS)]))
    for claim in CLAIMS:
        entry = ["bytes32", "address", "uint256", "uint256", "uint256[2]", "uint256[4]"]
        transcript = keccak(encode(entry, [transcript, *claim.entry]))
    expected = [
        int.from_bytes(keccak(encode(["bytes32", "uint256"], [transcript, index]))[:16], "big")
        for index in range(len(CLAIMS))
    ]
    assert draw_weights(1, ADDRESS, 3, 4, OTHER, CLAIMS) == expected


def test_a_message_hashes_what_abi_encode_gives() -> None:
    packed = encode(["address", "uint256", "address"], [ADDRESS, 2**256 - 1, OTHER])
    assert compute_message(ADDRESS, 2**256 - 1, OTHER) == int.from_bytes(keccak(packed), "big")
