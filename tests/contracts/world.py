"""A deployed system with members, always at the same addresses, so that proofs can be shared.

A proof names the chain, the distributor and the epoch. Contracts are deployed in the same order
on every new chain, whatever the token, and so a proof made once fits every world.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from contracts import compile as compiler
from contracts.artifacts import ContractName, load
from distribution.attestation import (
    NO_CHECKPOINT,
    RootUpdate,
    Signature,
    migration,
    pause,
    sign_sorted,
)
from tests.contracts.chain import CHAIN_ID, Chain, Contract, Receipt

FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
NOBODY = "0x" + "00" * 20
STRANGER = "0x" + "a2" * 20

ATTESTERS: list[LocalAccount] = sorted(
    (Account.from_key(bytes([i]) * 32) for i in (1, 2, 3)), key=lambda a: int(a.address, 16)
)
QUORUM = 2

GENESIS = 1_700_000_000
EPOCH_LENGTH = 86_400  # seconds
LATE_EPOCHS = 2
AMOUNT = 10**18
MIGRATION_DELAY = (LATE_EPOCHS + 1) * EPOCH_LENGTH
FIXED = (AMOUNT, 0, 0)  # amount, share, least claimants

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
        if self.is_native:
            balance = self.chain.evm.get_balance(self.distributor.address)
            self.chain.evm.set_balance(self.distributor.address, balance + tokens)
        else:
            self.token.transact("mint", self.distributor.address, tokens)

    def balance(self, owner: str) -> int:
        if self.is_native:
            return int(self.chain.evm.get_balance(owner))
        return int(self.token.call("balanceOf", owner))

    @property
    def is_native(self) -> bool:
        return self.distributor.call("token") == NOBODY

    def post(self, *update: Any, **signing: Any) -> Receipt:
        """Post `prevRoot, newRoot, firstIndex, commitments, removals`, signed by a quorum."""
        return post_update(self.registry, *update, **signing)

    def set_paused(self, paused: bool) -> Receipt:
        message = pause(*self._action(), paused=paused)
        return self.distributor.transact("setPaused", paused, sign_sorted(message, ATTESTERS[:2]))

    def announce_migration(self, destination: str) -> Receipt:
        message = migration(*self._action(), destination)
        signatures = sign_sorted(message, ATTESTERS[:2])
        return self.distributor.transact("announceMigration", destination, signatures)

    def root_of(self, epoch: int) -> int:
        """The epoch's root, or what it would be if it were opened now."""
        return int(self.distributor.call("epochRoot", epoch) or self.registry.call("root"))

    def _action(self) -> tuple[int, str, int, int]:
        return (
            self.chain.chain_id,
            self.distributor.address,
            self.registry.call("attesterSet"),
            self.distributor.call("action"),
        )

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


def build_world(
    *,
    token: str = "LocalCoin",
    native: bool = False,
    chain_id: int = CHAIN_ID,
    policy: tuple[int, int, int] = FIXED,
) -> World:
    """Deploy everything, an hour into epoch 0, with an empty registry and an empty pool."""
    chain = Chain(chain_id=chain_id, now=GENESIS + 3600)
    coin = (
        deploy(chain, "LocalCoin", "Local coin", "LOCAL")
        if token == "LocalCoin"
        else deploy_test_contract(chain, token)
    )
    registry = deploy_registry(chain)
    paid_in = NOBODY if native else coin.address
    return World(chain, coin, registry, deploy_distributor(chain, registry, paid_in, policy))


def deploy_registry(chain: Chain) -> Contract:
    return deploy(chain, "PersonhoodRegistry", [a.address for a in ATTESTERS], QUORUM)


def deploy_distributor(
    chain: Chain, registry: Contract, token: str, policy: tuple[int, int, int] = FIXED
) -> Contract:
    """Deploy a distributor with the parameters above."""
    terms = (GENESIS, EPOCH_LENGTH, LATE_EPOCHS, *policy, MIGRATION_DELAY)
    return deploy(chain, "UbiDistributor", registry.address, token, terms)


def post_update(
    registry: Contract,
    prev_root: int,
    new_root: int,
    first_index: int,
    commitments: Sequence[int],
    removals: Sequence[int],
    *,
    checkpoint: bytes = NO_CHECKPOINT,
    by: list[LocalAccount] | None = None,
) -> Receipt:
    """Post an update signed by `by`, or by the smallest quorum."""
    update = RootUpdate(
        registry.call("attesterSet"),
        prev_root,
        new_root,
        first_index,
        tuple(commitments),
        tuple(removals),
        checkpoint,
    )
    message = update.message(registry.chain.chain_id, registry.address)
    return send_update(
        registry, update, sign_sorted(message, ATTESTERS[:QUORUM] if by is None else by)
    )


def send_update(registry: Contract, update: RootUpdate, signatures: list[Signature]) -> Receipt:
    return registry.transact(
        "update",
        update.previous_root,
        update.root,
        update.first_index,
        update.commitments,
        update.removals,
        update.checkpoint,
        signatures,
        sender=STRANGER,
    )
