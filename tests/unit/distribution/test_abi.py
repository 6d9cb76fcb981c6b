"""Our encoding beside web3's."""

from typing import Any

import pytest
from eth_abi.exceptions import DecodingError, EncodingError
from web3 import Web3
from web3._utils.events import get_event_data

from contracts.artifacts import load
from distribution.abi import Interface
from distribution.deployment import DISTRIBUTOR, REGISTRY, TOKEN

ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
ENTRY = (ADDRESS, 1, 2, (3, 4), (5, 6, 7, 8))
CALLS: list[tuple[Any, str, list[Any]]] = [
    (DISTRIBUTOR, "currentEpoch", []),
    (DISTRIBUTOR, "isClaimed", [3, 2**255]),
    (DISTRIBUTOR, "claim", [1, ADDRESS, 2, ADDRESS, 3, list(range(8))]),
    (DISTRIBUTOR, "claimBatch", [1, ADDRESS, [ENTRY, ENTRY], (9, 10)]),
    (DISTRIBUTOR, "setPaused", [True, [(1, 2), (3, 4)]]),
    (REGISTRY, "update", [1, 2, 3, [4, 5], [], b"\7" * 32, [(1, 2)]]),
    (TOKEN, "transfer", [ADDRESS, 2**256 - 1]),
]


@pytest.mark.parametrize(("artifact", "function", "arguments"), CALLS)
def test_calls_are_encoded_as_web3_does(artifact: Any, function: str, arguments: list[Any]) -> None:
    theirs = Web3().eth.contract(ADDRESS, abi=artifact.abi).encode_abi(function, arguments)
    assert "0x" + Interface(artifact.abi).encode(function, arguments).hex() == theirs


def test_answers_are_read() -> None:
    registry = Interface(REGISTRY.abi)
    packed = bytes(31) + b"\x20" + bytes(31) + b"\x01" + bytes(12) + bytes.fromhex(ADDRESS[2:])
    assert registry.decode("attesters", [], packed) == (ADDRESS,)
    assert registry.decode("root", [], bytes(31) + b"\7") == 7
    assert Interface(TOKEN.abi).decode("balanceOf", [ADDRESS], bytes(32)) == 0
    for junk in (b"", bytes(31), packed[:-1]):
        with pytest.raises(DecodingError):
            registry.decode("attesters", [], junk)


def test_what_does_not_fit_is_not_encoded() -> None:
    distributor = Interface(load("UbiDistributor").abi)
    for arguments in ([-1, 0], [2**256, 0], ["1", 0]):
        with pytest.raises(EncodingError):
            distributor.encode("isClaimed", arguments)
    with pytest.raises(KeyError):
        distributor.encode("isClaimed", [1])


def test_events_are_read_as_web3_does() -> None:
    distributor = Interface(DISTRIBUTOR.abi)
    epoch, nullifier, recipient = (f"0x{number:064x}" for number in (3, 2**200, int(ADDRESS, 16)))
    topics = [str(distributor.topics("Claimed", {})[0]), epoch, nullifier, recipient]
    log = {"topics": topics, "data": f"0x{10:064x}{1:064x}"}
    web3 = Web3()
    (described,) = (one for one in DISTRIBUTOR.abi if one.get("name") == "Claimed")
    theirs = get_event_data(
        web3.codec,
        described,  # type: ignore[arg-type]
        {
            "topics": [bytes.fromhex(one[2:]) for one in topics],
            "data": bytes.fromhex(log["data"][2:]),
        }  # type: ignore[typeddict-item,arg-type]
        | dict.fromkeys(
            (
                "address",
                "blockHash",
                "blockNumber",
                "logIndex",
                "transactionHash",
                "transactionIndex",
            )
        ),
    )
    ours = distributor.read("Claimed", log)
    assert ours == dict(theirs["args"])
    assert ours["recipient"] == ADDRESS
    with pytest.raises(ValueError, match="shorter"):
        distributor.read("Claimed", log | {"topics": topics[:2]})


def test_events_are_asked_for_by_their_indexed_arguments() -> None:
    distributor = Interface(DISTRIBUTOR.abi)
    (topic,) = distributor.topics("Paused", {})
    assert topic == Web3.to_hex(Web3.keccak(text="Paused(uint256)"))
    one, two = (f"0x{number:064x}" for number in (1, 2))
    assert distributor.topics("Claimed", {"nullifier": [1, 2]})[1:] == [None, [one, two], None]
    assert distributor.topics("Claimed", {"epoch": 2})[1:] == [two, None, None]
