"""An attester over HTTP.

    GET  /v1/attester   who it is
    POST /v1/attest     a signed proposal (`distribution.proposal`) for a signature
    POST /add-checkpoint   a checkpoint of the log for a cosignature (c2sp.org/tlog-witness)

A refusal to attest is 409 with problem details (RFC 9457) whose `code` is the reason.
"""

from typing import Any, Final

import structlog
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from distribution.attester import IndependentAttester
from distribution.errors import AlreadySigned, AttestationRefused
from distribution.proposal import MAX_BYTES, read_proposal, update_fields
from transparency.witness import MAX_REQUEST, Witness

_log = structlog.get_logger("distribution.attester")
_PROBLEM: Final = "application/problem+json"


def create_attester_app(attester: IndependentAttester, witness: Witness) -> FastAPI:
    """Create the application of one attester, which is a witness of the log too."""
    app = FastAPI(title="personhood attester", version="1", docs_url=None, redoc_url=None)

    @app.get("/v1/attester")
    def about() -> dict[str, Any]:
        """Who signs, and how far this attester has read the log."""
        return {
            "address": attester.address,
            "log": attester.log_key.text,
            "log_size": attester.log_size,
            "witness": witness.verifier.text,
        }

    @app.post("/v1/attest")
    async def attest(request: Request) -> Response:
        """Check a proposal, and sign it."""
        body = await _read(request, MAX_BYTES)
        if body is None:
            return _refusal(413, "proposal_too_large", "The proposal is too large.")
        return await to_thread.run_sync(_attest, attester, body)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        """Cosign a checkpoint that continues the last one."""
        body = await _read(request, MAX_REQUEST)
        if body is None:
            return Response(status_code=413)
        text = body.decode(errors="replace")
        answer = await to_thread.run_sync(witness.add_checkpoint, text)
        return Response(answer.body, answer.status, media_type=answer.media_type)

    return app


async def _read(request: Request, limit: int) -> bytes | None:
    """A body of at most `limit` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _attest(attester: IndependentAttester, body: bytes) -> Response:
    try:
        note = body.decode(errors="replace")
        update, chain_id, registry = read_proposal(note, attester.log_key)
        r, s = attester.attest(update, chain_id, registry)
    except AlreadySigned as before:
        signed = update_fields(before.update)
        return _refusal(409, before.reason, str(before), signed=signed)
    except AttestationRefused as refused:
        return _refusal(409, refused.reason, str(refused))
    added, removed = len(update.commitments), len(update.removals)
    _log.info("attested", first_index=update.first_index, added=added, removed=removed)
    return JSONResponse({"address": attester.address, "r": f"{r:#x}", "s": f"{s:#x}"})


def _refusal(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    _log.warning("refused", code=code, detail=detail)
    problem = {
        "type": f"urn:personhood:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JSONResponse(problem | more, status, media_type=_PROBLEM)
