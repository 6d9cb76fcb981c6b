"""The epochs that can be claimed now, as the chain has them."""

from dataclasses import dataclass
from time import monotonic
from typing import Final

from distribution.chain import Chain
from distribution.claims import compute_scope
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.refusals import refusal

FRESH: Final = 2.0  # seconds for which an epoch's state is taken from memory


@dataclass(frozen=True, slots=True)
class OpenEpoch:
    """What its claims have to show, and what one pays, in the token's smallest unit."""

    root: int
    amount: int
    scope: int
    read_at: float


class OpenEpochs:
    """Reads them; for one thread."""

    def __init__(self, chain: Chain, deployment: Deployment) -> None:
        self._chain = chain
        self._deployment = deployment
        self._known: dict[int, OpenEpoch] = {}

    def read(self, number: int) -> OpenEpoch:
        """The state of an epoch, at most `FRESH` seconds old.

        Raises:
            EpochNotClaimable, ClaimsPaused: it cannot be claimed now.
        """
        known = self._known.get(number)
        if known is not None and monotonic() - known.read_at < FRESH:
            return known
        self._require_open(number)
        root = self._view("epochRoot", number)
        if root == 0:
            raise refusal("distributor: epoch never opened")
        amount = self._view("epochAmount", number)
        opened = OpenEpoch(root, amount, compute_scope(self._deployment, number), monotonic())
        self._known = {number: opened, **{n: e for n, e in self._known.items() if n != number}}
        while len(self._known) > self._deployment.late_epochs + 1:
            self._known.popitem()
        return opened

    def _require_open(self, number: int) -> None:
        if self._view("pausedSince"):
            raise refusal("distributor: paused")
        current = self._view("currentEpoch")
        late = number < current and self._chain.now() >= self._view("claimsEnd", number)
        if number > current or late:
            raise refusal("distributor: epoch not claimable")

    def _view(self, function: str, *arguments: int) -> int:
        answer = self._chain.call(DISTRIBUTOR, self._deployment.distributor, function, *arguments)
        return int(answer)
