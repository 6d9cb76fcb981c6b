"""A wallet's side of a relayer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from distribution.addresses import parse_address
from distribution.claims import Claim
from distribution.deployment import Deployment
from distribution.errors import RelayerMismatch, RelayerRefused, RelayerUnreachable

TIMEOUT: Final = 30.0  # seconds
MAX_WAIT: Final = 30.0  # seconds between questions, however far off the end is


@dataclass(frozen=True, slots=True)
class RelayerTerms:
    """Whom a claim has to name, and the least fee, in the token's smallest unit."""

    address: str
    minimum_fee: int


@dataclass(frozen=True, slots=True)
class RelayState:
    """How far a claim is; see `distribution.relayer.Progress`."""

    state: str
    code: str | None
    transaction: str | None
    eta: int

    @property
    def is_settled(self) -> bool:
        return self.state in {"finalised", "failed"}


class RelayClient:
    """Speaks to one relayer.

    Raises:
        RelayerUnreachable: out of every method, it does not answer, or not as a relayer does.
        RelayerRefused: out of every method, it says no; the message holds its code.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def terms(self, deployment: Deployment) -> RelayerTerms:
        """Ask what a claim has to name.

        Raises:
            RelayerMismatch: it works for other contracts.
        """
        told = self._ask("GET", "/v1/relayer")
        try:
            contracts = told["chain_id"], parse_address(told["distributor"])
            terms = RelayerTerms(parse_address(told["relayer"]), int(told["minimum_fee"]))
        except (KeyError, TypeError, ValueError) as odd:
            raise self._no_relayer() from odd
        if contracts != (deployment.chain_id, deployment.distributor):
            raise RelayerMismatch(
                "this relayer works for other contracts than the deployment file names: use another"
            )
        return terms

    def post(self, claim: Claim) -> str:
        """Hand over a claim; returns where its progress is told. Harmless to repeat."""
        body = {
            "epoch": claim.epoch,
            "recipient": claim.recipient,
            "fee": str(claim.fee),
            "proof": claim.proof.to_dict(),
        }
        try:
            return f"/v1/claims/{self._ask('POST', '/v1/claims', body)['id']}"
        except (KeyError, TypeError) as odd:
            raise self._no_relayer() from odd

    def follow(self, location: str) -> Iterator[RelayState]:
        """Tell how far a claim is, again and again until it is settled."""
        while True:
            told = self._ask("GET", location)
            try:
                state = RelayState(
                    str(told["state"]), told["code"], told["transaction"], int(told["eta_seconds"])
                )
            except (KeyError, TypeError, ValueError) as odd:
                raise self._no_relayer() from odd
            yield state
            if state.is_settled:
                return
            time.sleep(min(MAX_WAIT, max(0.5, state.eta / 4)))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, json=body)
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            raise RelayerUnreachable(
                "the relayer does not answer: nothing is lost, try again or use another"
            ) from lost
        except ValueError as odd:
            raise self._no_relayer() from odd
        if not isinstance(told, dict):
            raise self._no_relayer()
        if answer.is_error:
            code, detail = told.get("code", answer.status_code), told.get("detail", "")
            raise RelayerRefused(f"the relayer says {code}: {detail}")
        return told

    def _no_relayer(self) -> RelayerUnreachable:
        return RelayerUnreachable("what answers at this address is no relayer: check --relayer")
