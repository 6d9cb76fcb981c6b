"""A deployed system with members, always at the same addresses, so that proofs can be shared.

A proof names the chain, the distributor and the epoch. Contracts are deployed in the same order
on every new chain, whatever the token, and so a proof made once fits every world.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contracts import compile as compiler
from contracts.artifacts import ContractName, load
from tests.contracts.chain import CHAIN_ID, Chain, Contract

FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
NOBODY = "0x" + "00" * 20
REGISTRAR = "0x" + "a1" * 20
STRANGER = "0x" + "a2" * 20

GENESIS = 1_700_000_000
EPOCH_LENGTH = 86_400  # seconds
LATE_EPOCHS = 2
AMOUNT = 10**18

_TEST_SOURCES = Path(__file__).parent / "src"


@dataclass(frozen=True)
class World:
    chain: Chain
    token: Contract
    registry: Contract
    distributor: Contract

    def enter_epoch(self, epoch: int) -> None:
        self.chain.now = GENESIS + epoch * EPOCH_LENGTH

    def fund(self, tokens: int) -> None:
        self.token.transact("mint", self.distributor.address, tokens)

    def balance(self, owner: str) -> int:
        return int(self.token.call("balanceOf", owner))

    @property
    def pool(self) -> int:
        return self.balance(self.distributor.address)


def deploy(chain: Chain, name: ContractName, *args: Any) -> Contract:
    """Deploy one of our contracts."""
    artifact = load(name)
    return chain.deploy(artifact.abi, artifact.bytecode, *args)


def deploy_test_contract(chain: Chain, name: str) -> Contract:
    """Deploy one of the contracts in `src/` beside this file."""
    artifact = _compile(name)
    return chain.deploy(artifact["abi"], artifact["bytecode"])


@cache
def _compile(name: str) -> dict[str, Any]:
    return compiler.compile_contract(_TEST_SOURCES / f"{name}.vy")


def build_world(*, token: str = "LocalCoin", chain_id: int = CHAIN_ID) -> World:
    """Deploy everything, an hour into epoch 0, with an empty registry and an empty pool."""
    chain = Chain(chain_id=chain_id, now=GENESIS + 3600)
    coin = (
        deploy(chain, "LocalCoin", "Local coin", "LOCAL")
        if token == "LocalCoin"
        else deploy_test_contract(chain, token)
    )
    registry = deploy(chain, "PersonhoodRegistry", REGISTRAR)
    return World(chain, coin, registry, deploy_distributor(chain, registry, coin))


def deploy_distributor(chain: Chain, registry: Contract, token: Contract) -> Contract:
    """Deploy a distributor with the parameters above."""
    terms = (AMOUNT, GENESIS, EPOCH_LENGTH, LATE_EPOCHS)
    return deploy(chain, "UbiDistributor", registry.address, token.address, *terms)
