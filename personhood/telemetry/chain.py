"""What a monitor of the chain tells: publication, attesters, epochs. A process of its own.

The enrolment service carries no chain library, so somebody else has to look. A relayer tells its
queue itself, see `personhood.relayer_app`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from distribution import claims
from distribution.chain import Chain
from distribution.deployment import REGISTRY, Deployment
from distribution.errors import AttesterUnreachable, DistributionError
from personhood.attesting import attesters_to_ask
from personhood.chain_access import open_chain
from personhood.chain_app import publisher_status
from personhood.settings import Settings
from personhood.telemetry.metrics import Figure, Telemetry, metrics_app

KEPT: Final = 10.0  # seconds that a look at the chain is kept


class ChainMonitor:
    """Looks at the chain when somebody asks, and not more often than every ten seconds.

    Args:
        look: gives the figures.
        kept: seconds that they are kept.

    Raises: nothing of the chain; that it does not answer is a figure.
    """

    def __init__(self, look: Callable[[], list[Figure]], kept: float = KEPT) -> None:
        self._look = look
        self._kept = kept
        self._lock = threading.Lock()
        self._figures: list[Figure] = []
        self._at = -kept
        self._root: tuple[float, float] = (-1.0, time.monotonic())  # members, and since when

    def figures(self) -> list[Figure]:
        """What the chain says, or that it does not answer."""
        with self._lock:
            if time.monotonic() - self._at >= self._kept:
                try:
                    seen = self._look()
                    self._figures = [Figure("personhood_chain_up", 1), *seen, self._root_age(seen)]
                except DistributionError:
                    self._figures = [Figure("personhood_chain_up", 0)]
                self._at = time.monotonic()
            return self._figures

    def _root_age(self, seen: list[Figure]) -> Figure:
        members = next((f.value for f in seen if f.name == "personhood_root_members"), 0.0)
        if members != self._root[0]:
            self._root = (members, time.monotonic())
        return Figure("personhood_root_age_seconds", time.monotonic() - self._root[1])


def look_at(settings: Settings, chain: Chain, deployment: Deployment) -> Iterator[Figure]:
    """Ask the chain and the publisher's journal.

    Raises:
        DistributionError: the chain does not answer.
    """
    pending = publisher_status(settings, chain, deployment)
    yield Figure("personhood_root_members", pending.members)
    yield Figure("personhood_publisher_pending", pending.accepted + pending.removed)
    yield Figure("personhood_publisher_oldest_seconds", pending.oldest)
    yield Figure("personhood_publisher_under_way", len(pending.under_way))
    known = {int(a, 16) for a in chain.call(REGISTRY, deployment.registry, "attesters")}
    yield Figure("personhood_attesters", len(known))
    yield Figure("personhood_attesters_at_hand", len(known & at_hand(settings, chain, deployment)))
    quorum = chain.call(REGISTRY, deployment.registry, "quorum")
    yield Figure("personhood_attestation_quorum", quorum)
    epoch = claims.read_epoch(chain, deployment)
    yield Figure("personhood_epoch", epoch.epoch)
    yield Figure("personhood_epoch_open", float(epoch.root != 0))
    if epoch.amount:
        yield Figure("personhood_pool_claims", epoch.pool // epoch.amount)


def at_hand(settings: Settings, chain: Chain, deployment: Deployment) -> set[int]:
    """The addresses of the attesters that would be asked, and that answer."""
    addresses = set()
    for attester in attesters_to_ask(settings, chain, deployment):
        with suppress(AttesterUnreachable):
            addresses.add(int(attester.address, 16))
    return addresses


def create_monitor(settings: Settings, token: str) -> Starlette:
    """`GET /metrics` with the token, and `GET /health`.

    Raises:
        DistributionError: the contracts are not there.
    """
    chain, deployment = open_chain(settings)
    monitor = ChainMonitor(lambda: list(look_at(settings, chain, deployment)))
    return monitor_app(monitor, token)


def monitor_app(monitor: ChainMonitor, token: str) -> Starlette:
    """The application of a monitor."""

    def health(_: Request) -> JSONResponse:
        """Tell a fault from a closed epoch: 503 is a fault, a closed epoch is none."""
        values = {figure.name: figure.value for figure in monitor.figures()}
        if not values["personhood_chain_up"]:
            return JSONResponse({"status": "down", "epoch": "unknown"}, 503)
        epoch = "open" if values["personhood_epoch_open"] else "closed"
        return JSONResponse({"status": "ok", "epoch": epoch})

    return metrics_app(Telemetry(monitor.figures), token, Route("/health", health))
