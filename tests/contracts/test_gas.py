"""Gas of real transactions, each in a block of its own, as py-evm's receipts tell it."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils.crypto import keccak

from contracts.artifacts import ContractName, load
from identity_proofs.prover import Prover
from tests.contracts.chain import calldata, creation_code
from tests.contracts.claims import COMMITMENTS, GROUP, RELAYER, Claims
from tests.contracts.world import AMOUNT, FIELD_ORDER

pytestmark = pytest.mark.slow

# A proof's bytes are random, and a zero byte is cheaper than another: some dozens of gas.
TOLERANCE = 0.001

CLAIM_BAR = 345_000
UPDATE_BAR_PER_COMMITMENT = 3_000


class Node:
    """A chain that mines every transaction at once."""

    def __init__(self) -> None:
        backend = PyEVMBackend()
        self.chain_id: int = backend.chain.chain_id
        self.tester = EthereumTester(backend)
        self.account: str = self.tester.get_accounts()[0]

    @property
    def now(self) -> int:
        return int(self.tester.get_block_by_number("latest")["timestamp"])

    def deploy(self, name: ContractName, *args: object) -> str:
        artifact = load(name)
        data = creation_code(artifact.abi, artifact.bytecode, *args)
        return str(self._send({"data": "0x" + data.hex()})["contract_address"])

    def gas(self, name: ContractName, address: str, function: str, *args: object) -> int:
        """Call it, and return what that cost."""
        data = calldata(load(name).abi, function, *args)
        return int(self._send({"to": address, "data": "0x" + data.hex()})["gas_used"])

    def _send(self, transaction: dict[str, Any]) -> dict[str, Any]:
        fields = {"from": self.account, "gas": 10_000_000} | transaction
        receipt = self.tester.get_transaction_receipt(self.tester.send_transaction(fields))
        assert receipt["status"] == 1
        return dict(receipt)


def field_elements(count: int) -> Iterator[int]:
    """Values that look like commitments."""
    return (int.from_bytes(keccak(bytes([i])), "big") % FIELD_ORDER for i in range(count))


@pytest.fixture(scope="module")
def measured(prover: Prover) -> dict[str, int]:
    node = Node()
    token = node.deploy("LocalCoin", "Local coin", "LOCAL")
    registry = node.deploy("PersonhoodRegistry", node.account)
    terms = (AMOUNT, node.now, 86_400, 2)
    distributor = node.deploy("UbiDistributor", registry, token, *terms)
    claims = Claims(prover, node.chain_id, distributor)

    node.gas("LocalCoin", token, "mint", distributor, 10 * AMOUNT)
    node.gas("LocalCoin", token, "mint", RELAYER, 1)
    node.gas("PersonhoodRegistry", registry, "update", 0, GROUP.root, 0, COMMITMENTS, [])

    def claim_gas(member: int, **terms: Any) -> int:
        claim = claims.of(member, **terms)
        return node.gas("UbiDistributor", distributor, "claim", *claim.arguments)

    first = claim_gas(0)
    later = claim_gas(1)
    relayed = claim_gas(2, fee=AMOUNT // 100, relayer=RELAYER)
    root, *commitments = field_elements(101)
    batch: tuple[Any, ...] = (GROUP.root, root, len(COMMITMENTS), commitments, [])
    return {
        "claim": later,
        "claim_that_opens_the_epoch": first,
        "claim_with_a_fee": relayed,
        "update_of_100_commitments": node.gas("PersonhoodRegistry", registry, "update", *batch),
    }


def test_gas_is_what_the_file_says(measured: dict[str, int]) -> None:
    recorded = json.loads((resources.files("contracts") / "gas.json").read_text("utf-8"))
    assert measured == pytest.approx(recorded, rel=TOLERANCE), f"if meant, record {measured}"


def test_gas_stays_below_the_bars(measured: dict[str, int]) -> None:
    assert measured["claim"] <= CLAIM_BAR
    assert measured["update_of_100_commitments"] <= 100 * UPDATE_BAR_PER_COMMITMENT
