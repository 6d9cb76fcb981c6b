"""What the chain holds, read for the console in a process beside the service."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from console.chain import ChainStatus, EpochLine, QueueLine
from personhood.settings import Settings
from personhood.side_process import SideProcess

if TYPE_CHECKING:
    from distribution.deployment import Deployment

_FRESH: Final = 15.0  # seconds for which the chain is not asked again
_PATIENCE: Final = 3.0


class ChainReader:
    """Reads the chain's state.

    Args:
        settings: name the deployment file and the endpoint.
        side: the process that reads.
        patience: seconds that a page waits; it asks again by itself.
    """

    def __init__(self, settings: Settings, side: SideProcess, patience: float = _PATIENCE) -> None:
        self._settings = settings
        self._side = side
        self._patience = patience
        self._lock = threading.Lock()
        self._reading: Future[ChainStatus] | None = None
        self._last: tuple[float, ChainStatus] | None = None

    def read(self) -> ChainStatus | None:
        """The chain as it was seconds ago; None where nothing is deployed from this machine."""
        if not self._settings.deployment_file().exists():
            return None
        with self._lock:
            now = time.monotonic()
            if self._last is None or self._reading or now - self._last[0] > _FRESH:
                self._last = (now, self._ask())
            return self._last[1]

    def _ask(self) -> ChainStatus:
        """Ask anew, or wait on for the question that was asked before."""
        try:
            if self._reading is None:
                self._reading = self._side.submit(read_chain, self._settings)
            status = self._reading.result(self._patience)
            self._reading = None
        except NotYet:
            return self._stale(
                "The chain is being read; this page shows it as soon as it has answered."
            )
        except BrokenProcessPool:
            self._reading = None
            return self._stale("The process that reads the chain ended; it is started again.")
        return status if status.problem is None else self._stale(status.problem)

    def _stale(self, problem: str) -> ChainStatus:
        """What was known last, and why it is not known better."""
        if self._last is None:
            return ChainStatus(problem, int(time.time()))
        return replace(self._last[1], problem=problem)


def read_chain(settings: Settings) -> ChainStatus:
    """Ask the endpoint; an error becomes the status's problem."""
    from distribution.errors import DistributionError

    try:
        return _read(settings)
    except DistributionError as error:
        return ChainStatus(str(error), int(time.time()))


def _read(settings: Settings) -> ChainStatus:
    from distribution.claims import read_epoch
    from distribution.deployment import DISTRIBUTOR, REGISTRY
    from personhood.chain_access import open_chain
    from personhood.chain_app import publisher_status

    chain, deployment = open_chain(settings)
    publishing = publisher_status(settings, chain, deployment)
    now = read_epoch(chain, deployment)
    updates = chain.events(REGISTRY, deployment.registry, "RootUpdated", deployment.block)
    coins = _coins(deployment.decimals)
    first = max(0, now.epoch - deployment.late_epochs)
    lines = []
    for epoch in range(now.epoch, first - 1, -1):
        root = chain.call(DISTRIBUTOR, deployment.distributor, "epochRoot", epoch)
        paid = chain.events(
            DISTRIBUTOR, deployment.distributor, "Claimed", deployment.block, {"epoch": epoch}
        )
        lines.append(
            EpochLine(
                epoch=epoch,
                root=f"0x{root:064x}" if root else None,
                claims=len(paid),
                paid=coins(sum(claim["amount"] for claim in paid)),
                ends_at=deployment.genesis + (epoch + 1) * deployment.epoch_length,
            )
        )
    return ChainStatus(
        problem=None,
        read_at=int(time.time()),
        chain_id=deployment.chain_id,
        registry=deployment.registry,
        distributor=deployment.distributor,
        root=f"0x{updates[-1]['newRoot']:064x}" if updates else "none yet",
        members=sum(len(update["commitments"]) for update in updates),
        removed=sum(len(update["removals"]) for update in updates),
        quorum=chain.call(REGISTRY, deployment.registry, "quorum"),
        attesters=len(chain.call(REGISTRY, deployment.registry, "attesters")),
        paused=chain.call(DISTRIBUTOR, deployment.distributor, "pausedSince") > 0,
        pool=coins(now.pool),
        amount=coins(now.amount) if now.amount else None,
        epochs=tuple(lines),
        queues=(
            QueueLine(
                "publisher",
                publishing.accepted + publishing.removed,
                publishing.oldest,
                len(publishing.under_way),
                publishing.eta,
            ),
            *_relaying(settings, deployment),
        ),
    )


def _relaying(settings: Settings, deployment: "Deployment") -> list[QueueLine]:
    """The queue of a relayer of this machine, if there is one."""
    from sqlalchemy import create_engine

    from distribution.database import Database
    from distribution.endpoint import open_account
    from distribution.journal import Journal
    from distribution.relay_store import RelayStore
    from personhood.chain_access import sending_key
    from uniqueness.database import prepare

    if settings.relayer_database_url is None and not (settings.data_dir() / "relayer.db").exists():
        return []
    engine = prepare(create_engine(settings.relayer_database()))
    database = Database(engine)
    waiting = RelayStore(database, deployment.fingerprint).waiting()
    sender = open_account(sending_key(settings, "relayer")).address
    under_way = Journal(database, deployment.fingerprint, sender).transactions()
    engine.dispose()
    claims = sum(queue.claims for queue in waiting)
    oldest = int(time.time()) - min(queue.since for queue in waiting) if waiting else 0
    return [QueueLine("relayer", claims, oldest, len(under_way), None)]


def _coins(decimals: int) -> Callable[[int], str]:
    """Write amounts of the smallest unit in coins, exactly."""

    def write(amount: int) -> str:
        whole, part = divmod(amount, 10**decimals)
        fraction = f"{part:0{decimals}d}".rstrip("0") if part else ""
        return f"{whole:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") + (
            f".{fraction}" if fraction else ""
        )

    return write
