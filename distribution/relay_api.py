"""The HTTP interface of a relayer: a wallet without coins for gas posts a claim and follows it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from distribution.address_limits import AddressRateLimit
from distribution.addresses import parse_address
from distribution.deployment import Deployment
from distribution.errors import RequestMalformed, RequestTooLarge
from distribution.problems import install_problem_handlers
from distribution.relay_claims import RelayedClaim
from distribution.relay_gathering import Gathering
from distribution.relay_intake import ClaimRequest, Intake, Outcome
from distribution.relayer import Progress, Relayer
from identity_proofs.proof import SemaphoreProof

MAX_BODY: Final = 4096  # bytes; a claim has about 1,300
READS_PER_CLAIM: Final = 20  # looks at claims that a range has for each claim that it may post
_MAX_DIGITS: Final = 78  # of an integer below 2^256
_FIELDS: Final = {"epoch", "recipient", "fee", "proof"}


Told: TypeAlias = dict[str, Any]
"""A claim as it is told."""


@dataclass(frozen=True)
class RelayDesk:
    """What the routes need.

    Args:
        per_minute: most claims of one range of addresses (/24, /48) in a minute.
    """

    deployment: Deployment
    intake: Intake
    relayer: Relayer
    per_minute: int

    def take_all(self, asked: Sequence[ClaimRequest]) -> list[Told | Exception]:
        """Queue claims, and tell how far each is."""
        return self._tell(self.intake.take_all(asked))

    def find_all(self, identifiers: Sequence[str]) -> list[Told | Exception]:
        """Tell how far claims are."""
        return self._tell(self.intake.find_all(identifiers))

    def _tell(self, outcomes: Sequence[Outcome]) -> list[Told | Exception]:
        claims = [outcome for outcome in outcomes if isinstance(outcome, RelayedClaim)]
        told = map(_told, claims, self.relayer.progress(claims))
        return [one if isinstance(one, Exception) else next(told) for one in outcomes]


def create_app(desk: RelayDesk) -> Starlette:
    """Create the application.

    POST /v1/claims, GET /v1/claims/{id}, GET /v1/relayer. In an opening rush a framework that does
    more than find the route takes longer than to verify a claim.
    """
    posts = AddressRateLimit(desk.per_minute)
    reads = AddressRateLimit(desk.per_minute * READS_PER_CLAIM)
    arriving = Gathering(desk.take_all)
    asking = Gathering(desk.find_all)

    async def post_claim(request: Request) -> JSONResponse:
        """Take a claim that would be paid now; the same again is answered with its progress."""
        posts.take(_address(request), "claims")
        told = await arriving.ask(parse_claim(await _read(request)))
        return JSONResponse(told, 202, {"Location": f"/v1/claims/{told['id']}"})

    async def get_claim(request: Request) -> JSONResponse:
        """Tell how far a claim is."""
        reads.take(_address(request), "reads")
        return JSONResponse(await asking.ask(request.path_params["identifier"]))

    async def get_relayer(request: Request) -> JSONResponse:
        """Tell what a claim has to name."""
        reads.take(_address(request), "reads")
        return JSONResponse(
            {
                "relayer": desk.intake.relayer,
                "minimum_fee": str(desk.intake.minimum_fee),
                "chain_id": desk.deployment.chain_id,
                "distributor": desk.deployment.distributor,
            }
        )

    app = Starlette(
        routes=[
            Route("/v1/claims", post_claim, methods=["POST"]),
            Route("/v1/claims/{identifier}", get_claim),
            Route("/v1/relayer", get_relayer),
        ]
    )
    install_problem_handlers(app)
    return app


def parse_claim(body: bytes) -> ClaimRequest:
    """Read `{"epoch": 3, "recipient": "0x...", "fee": "0", "proof": {...}}`.

    Args:
        body: at most 4 KiB; the proof is the JavaScript SDK's object.

    Raises:
        RequestMalformed: it is not that.
        MalformedProof: the proof is none.
        AddressInvalid: the recipient is none.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestMalformed("the body is not JSON") from None
    if not isinstance(fields, dict) or set(fields) != _FIELDS:
        raise RequestMalformed(f"a claim has the members {', '.join(sorted(_FIELDS))}")
    epoch, recipient, fee, proof = (fields[name] for name in ("epoch", "recipient", "fee", "proof"))
    if type(epoch) is not int or not 0 <= epoch < 1 << 63:
        raise RequestMalformed("epoch is a number from 0 on")
    if not isinstance(recipient, str):
        raise RequestMalformed("recipient is an address as text")
    if not isinstance(fee, str) or not (fee.isascii() and fee.isdigit()) or len(fee) > _MAX_DIGITS:
        raise RequestMalformed("fee is decimal digits as text, in the token's smallest unit")
    if not isinstance(proof, dict):
        raise RequestMalformed("proof is a Semaphore proof as an object")
    parsed = SemaphoreProof.from_dict(proof)
    return ClaimRequest(epoch, parse_address(recipient), int(fee), parsed)


async def _read(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RequestTooLarge(f"a claim has at most {MAX_BODY} bytes")
    return body


def _address(request: Request) -> str | None:
    return request.client.host if request.client is not None else None


def _told(claim: RelayedClaim, progress: Progress) -> Told:
    return {
        "id": claim.id,
        "epoch": claim.epoch,
        "state": progress.state,
        "code": progress.code,
        "transaction": progress.transaction,
        "eta_seconds": progress.eta,
    }
