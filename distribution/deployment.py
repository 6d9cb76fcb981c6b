"""Putting the contracts on a chain, and the file by which every other command finds them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from contracts.artifacts import load
from distribution.chain import Chain, parse_address
from distribution.errors import DeploymentMismatch, NotDeployed

REGISTRY = load("PersonhoodRegistry")
DISTRIBUTOR = load("UbiDistributor")
TOKEN = load("LocalCoin")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is paid, and when.

    Attributes:
        amount: the income of one epoch, in the token's smallest unit.
        epoch_length: seconds.
        late_epochs: how many past epochs may still be claimed.
        pool: what a new local token mints into the pool, in the token's smallest unit.
        token: an existing ERC-20's address; None deploys a `LocalCoin`, for local chains.
    """

    amount: int = 100 * 10**18
    epoch_length: int = 7 * 24 * 3600
    late_epochs: int = 4
    pool: int = 1_000_000 * 10**18
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts stand and what they were made with.

    Attributes:
        block: the newest block before the first of them.
        genesis: when epoch 0 began, seconds since 1970.
        amount: in the token's smallest unit, of which a coin has 10 to the power `decimals`.
    """

    chain_id: int
    registry: str
    distributor: str
    token: str
    block: int
    genesis: int
    epoch_length: int
    amount: int
    late_epochs: int
    decimals: int

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a deployment file.

        Raises:
            NotDeployed: there is none, or it cannot be read.
        """
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError as missing:
            raise NotDeployed("nothing is deployed yet: run `personhood deploy`") from missing
        except (ValueError, TypeError) as damaged:
            raise NotDeployed(
                f"{path} is not a deployment file: restore it, or move it away and deploy anew"
            ) from damaged

    def write(self, path: Path) -> None:
        """Write the deployment file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(path)

    def check(self, chain: Chain) -> Self:
        """This deployment, once it is seen to stand on `chain`.

        Raises:
            DeploymentMismatch: `chain` is another chain.
            NotDeployed: there is no code at the addresses, as after a local chain was reset.
        """
        if chain.chain_id != self.chain_id:
            raise DeploymentMismatch(
                f"deployed on chain {self.chain_id}, but this endpoint is chain {chain.chain_id}"
            )
        if not (chain.has_code(self.registry) and chain.has_code(self.distributor)):
            raise NotDeployed(
                "the deployment file names contracts that this chain does not hold (was a local "
                "chain reset?): move the file away and run `personhood deploy`"
            )
        return self


def deploy(chain: Chain, terms: Terms) -> Deployment:
    """Deploy registry, distributor and, where no token is named, a token with a filled pool.

    Raises:
        AddressInvalid: the token's address is none.
        DistributionError: the node refused or could not be reached; nothing is written, and
            contracts already deployed are harmless orphans.
    """
    block = chain.block_number()
    genesis = chain.now()
    if terms.token is None:
        token = chain.deploy(TOKEN, "Local Coin", "LOCAL")
    else:
        token = parse_address(terms.token)
    registry = chain.deploy(REGISTRY, chain.sender)
    distributor = chain.deploy(
        DISTRIBUTOR,
        registry,
        token,
        terms.amount,
        genesis,
        terms.epoch_length,
        terms.late_epochs,
    )
    if terms.token is None:
        chain.transact(TOKEN, token, "mint", distributor, terms.pool)
    return Deployment(
        chain_id=chain.chain_id,
        registry=registry,
        distributor=distributor,
        token=token,
        block=block,
        genesis=genesis,
        epoch_length=terms.epoch_length,
        amount=terms.amount,
        late_epochs=terms.late_epochs,
        decimals=chain.call(TOKEN, token, "decimals"),
    )
