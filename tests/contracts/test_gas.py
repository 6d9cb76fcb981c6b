"""Gas of real transactions, each in a block of its own, as py-evm's receipts tell it.

`benchmarks/gas.py` has the same figures from anvil, beside Semaphore's own contract.
"""

import json
from importlib import resources
from typing import Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils.crypto import keccak

from contracts.artifacts import ContractName, load
from distribution.attestation import RootUpdate, sign_sorted
from distribution.batch import draw_weights, fold
from distribution.embedded_pairings import use_kernel
from tests.contracts.chain import CHAIN_ID, DEPLOYER, calldata, creation_code
from tests.contracts.claims import (
    CROWD_GROUP,
    RELAYER,
    read_crowd_claims,
)
from tests.contracts.world import (
    AMOUNT,
    ATTESTERS,
    EPOCH_LENGTH,
    FIELD_ORDER,
    FIXED,
    LATE_EPOCHS,
    MIGRATION_DELAY,
    NOBODY,
    QUORUM,
)

pytestmark = pytest.mark.slow

# A proof's bytes are random, and a zero byte is cheaper than another: some dozens of gas.
TOLERANCE = 0.001

CLAIM_BAR = 345_000
BATCH_BARS = {32: 106_000, 100: 101_000}
UPDATE_BAR_PER_COMMITMENT = 3_000


class Node:
    """A chain that mines every transaction at once, on which the crowd can claim.

    Token, registry and distributor have the addresses that they have in every test world. The
    epoch is open, and the relayer was paid before.
    """

    def __init__(self, *, native: bool = False) -> None:
        backend = PyEVMBackend()
        use_kernel()
        self.tester = EthereumTester(backend)
        assert backend.chain.chain_id == CHAIN_ID
        assert self.tester.get_accounts()[0].lower() == DEPLOYER
        self.root = 0
        self.size = 0
        token = self.deploy("LocalCoin", "Local coin", "LOCAL")
        self.registry = self.deploy("PersonhoodRegistry", [a.address for a in ATTESTERS], QUORUM)
        now = int(self.tester.get_block_by_number("latest")["timestamp"])
        terms = (now, EPOCH_LENGTH, LATE_EPOCHS, *FIXED, MIGRATION_DELAY)
        self.distributor = self.deploy(
            "UbiDistributor", self.registry, NOBODY if native else token, terms
        )
        self.update(CROWD_GROUP.root, list(CROWD_GROUP.members))
        if native:
            self.send({"to": self.distributor, "value": 100 * AMOUNT})
            self.send({"to": RELAYER, "value": 1})
        else:
            self.gas("LocalCoin", token, "mint", self.distributor, 100 * AMOUNT)
            self.gas("LocalCoin", token, "mint", RELAYER, 1)
        self.gas("UbiDistributor", self.distributor, "openEpoch")

    def deploy(self, name: ContractName, *args: object) -> str:
        artifact = load(name)
        data = creation_code(artifact.abi, artifact.bytecode, *args)
        return str(self.send({"data": "0x" + data.hex()})["contract_address"])

    def gas(self, name: ContractName, address: str, function: str, *args: object) -> int:
        """Call it, and return what that cost."""
        data = calldata(load(name).abi, function, *args)
        return int(self.send({"to": address, "data": "0x" + data.hex()})["gas_used"])

    def send(self, transaction: dict[str, Any]) -> dict[str, Any]:
        fields = {"from": DEPLOYER, "gas": 20_000_000} | transaction
        receipt = self.tester.get_transaction_receipt(self.tester.send_transaction(fields))
        assert receipt["status"] == 1
        return dict(receipt)

    def update(self, root: int, commitments: list[int]) -> int:
        update = RootUpdate(1, self.root, root, self.size, tuple(commitments))
        signatures = sign_sorted(update.message(CHAIN_ID, self.registry), ATTESTERS[:QUORUM])
        self.root, self.size, first = root, self.size + len(commitments), self.size
        batch = (update.previous_root, root, first, commitments, [], update.checkpoint)
        return self.gas("PersonhoodRegistry", self.registry, "update", *batch, signatures)

    def claim(self, member: int) -> int:
        arguments = read_crowd_claims()[member].arguments
        return self.gas("UbiDistributor", self.distributor, "claim", *arguments)

    def claim_batch(self, size: int) -> int:
        proven = [claim.in_batch for claim in read_crowd_claims()[:size]]
        weights = draw_weights(CHAIN_ID, self.distributor, 0, CROWD_GROUP.root, RELAYER, proven)
        entries = [claim.entry for claim in proven]
        arguments = (0, RELAYER, entries, fold(proven, weights))
        return self.gas("UbiDistributor", self.distributor, "claimBatch", *arguments)


def field_elements(count: int) -> list[int]:
    """Values that look like commitments."""
    return [int.from_bytes(keccak(bytes([i])), "big") % FIELD_ORDER for i in range(count)]


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    root, *commitments = field_elements(101)
    return {
        "claim": Node().claim(0),
        "claim_in_native_coin": Node(native=True).claim(0),
        "batch_of_32": Node().claim_batch(32),
        "batch_of_100": Node().claim_batch(100),
        "update_of_100_commitments": Node().update(root, commitments),
    }


def test_gas_is_what_the_file_says(measured: dict[str, int]) -> None:
    recorded = json.loads((resources.files("contracts") / "gas.json").read_text("utf-8"))
    assert measured == pytest.approx(recorded, rel=TOLERANCE), f"if meant, record {measured}"


def test_gas_stays_below_the_bars(measured: dict[str, int]) -> None:
    assert measured["claim"] <= CLAIM_BAR
    for size, bar in BATCH_BARS.items():
        assert measured[f"batch_of_{size}"] / size <= bar
    assert measured["update_of_100_commitments"] <= 100 * UPDATE_BAR_PER_COMMITMENT
