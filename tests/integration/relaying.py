"""A relayer with real claims of four members, and a process of it that kills itself.

Proofs are made once: every test begins from the same state of the chain.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from distribution import claims
from distribution.addresses import parse_address
from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.journal import Journal
from distribution.publisher import BatchPolicy
from distribution.registry import local_attesters, publish
from distribution.relay_api import RelayDesk, create_app
from distribution.relay_batches import Batches
from distribution.relay_intake import Intake
from distribution.relay_store import RelayStore
from distribution.relayer import Relayer
from distribution.sender import Sender
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from personhood.http_protocol import BoundedHttp
from tests.integration.power_cut import die_at
from tests.integration.senders import ATTESTERS, KEY, POLICY, Anvil, open_database
from tests.service import served

RELAYER = address_of(KEY)
FEE = 1
MEMBERS = 4
# The steps of a relayer that holds four claims, in two batches: the first is tried, the next not.
POINTS: dict[str, tuple[Any, str, str, int]] = {
    "batch chosen": (Batches, "cheapest", "before", 1),
    "signed, not kept": (Sender, "_sign", "after", 1),
    "kept, claims not noted": (RelayStore, "assign", "before", 2),
    "kept, not sent": (Chain, "send_raw", "before", 1),
    "sent, not told": (Chain, "send_raw", "after", 1),
    "kept untried, not sent": (Chain, "send_all", "before", 1),
    "sent untried, not told": (Chain, "send_all", "after", 1),
    "included, not noted": (Journal, "mark_included", "before", 1),
    "final, claims not told": (RelayStore, "finalise", "before", 1),
    "one batch told": (RelayStore, "finalise", "after", 1),
}


class World:
    """A chain with four members and an open epoch, and their claims."""

    def __init__(self, prover: Prover) -> None:
        self.anvil = Anvil()
        chain, deployment = self.anvil.chain, self.anvil.deployment
        identities = [Identity.generate() for _ in range(MEMBERS)]
        commitments = [identity.commitment for identity in identities]
        publish(chain, deployment, commitments, local_attesters(chain, deployment, ATTESTERS))
        self.epoch = claims.open_epoch(chain, deployment)
        self.group = claims.read_epoch_group(chain, deployment, self.epoch)
        self.recipients = [parse_address("0x" + f"b{i}" * 20) for i in range(MEMBERS)]
        self.prover, self.identities = prover, identities
        self.claims = [self.prove(i, recipient) for i, recipient in enumerate(self.recipients)]
        self.anvil.mine(10)

    def prove(self, member: int, recipient: str, fee: int = FEE) -> claims.Claim:
        return claims.prove_claim(
            self.prover,
            self.identities[member],
            self.group,
            self.anvil.deployment,
            epoch=self.epoch.epoch,
            recipient=recipient,
            fee=fee,
            relayer=RELAYER,
        )

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever happens to the chain in the block is undone."""
        snapshot = self.anvil.ask("evm_snapshot")
        yield
        self.anvil.ask("evm_setAutomine", True)
        self.anvil.forget_mempool()
        self.anvil.ask("evm_revert", snapshot)

    def paid(self) -> list[str]:
        """Who was paid, in order."""
        events = self.anvil.chain.events(
            DISTRIBUTOR, self.anvil.deployment.distributor, "Claimed", 0
        )
        return [event["recipient"] for event in events]

    def balance(self, address: str) -> int:
        return claims.balance_of(self.anvil.chain, self.anvil.deployment, address)


def body(claim: claims.Claim, **changes: Any) -> dict[str, Any]:
    fields = {
        "epoch": claim.epoch,
        "recipient": claim.recipient,
        "fee": str(claim.fee),
        "proof": claim.proof.to_dict(),
    }
    return fields | changes


class Running:
    """A relayer whose steps the test takes."""

    def __init__(self, relayer: Relayer, sender: Sender, client: httpx.Client) -> None:
        self.relayer, self.sender, self.client = relayer, sender, client

    def post(self, claim: claims.Claim, **changes: Any) -> httpx.Response:
        return self.client.post("/v1/claims", content=json.dumps(body(claim, **changes)))

    def states(self, *locations: str) -> list[str]:
        return [self.client.get(location).json()["state"] for location in locations]


@contextmanager
def opened(
    chain: Chain, deployment: Deployment, folder: Path, batches: BatchPolicy, key: str = KEY
) -> Iterator[tuple[Relayer, Sender, RelayStore]]:
    database = open_database(folder)
    with Sender.open(chain, key, database, deployment, POLICY) as sender:
        store = RelayStore(database, deployment.fingerprint)
        yield Relayer(chain, deployment, sender, store, batches), sender, store
    database.engine.dispose()


@contextmanager
def running(
    chain: Chain,
    deployment: Deployment,
    folder: Path,
    *,
    batches: BatchPolicy = BatchPolicy(4, 0),  # noqa: B008 - a frozen value
    capacity: int = 100,
    per_minute: int = 100,
    key: str = KEY,
) -> Iterator[Running]:
    with opened(chain, deployment, folder, batches, key) as (relayer, sender, store):
        intake = Intake(
            chain, deployment, store, sender.address, minimum_fee=FEE, capacity=capacity
        )
        app = create_app(RelayDesk(deployment, intake, relayer, per_minute))
        with served(app, BoundedHttp) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield Running(relayer, sender, client)


def relay_until_killed(url: str, deployment: str, folder: str, point: str) -> None:
    """A relayer whose claims are in the database already."""
    chain = Chain.connect(url)
    deployed = Deployment.read(Path(deployment))
    with opened(chain, deployed, Path(folder), BatchPolicy(2, 0)) as (relayer, _, _):
        die_at(*POINTS[point])
        while True:
            relayer.step()
            chain._web3.provider.make_request("anvil_mine", ["0x1"])  # type: ignore[arg-type]
