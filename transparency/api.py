"""The log over HTTP: everything that anybody needs to check it, and nothing else."""

import base64
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from transparency.errors import NotWitnessed
from transparency.journal import Journal
from transparency.store import DecisionLog

MAX_ENTRIES: Final = 1000  # of one page
MAX_OPENINGS: Final = 1000

Count = Annotated[int, Query(ge=0, lt=1 << 62)]


class EntriesAnswer(BaseModel):
    """Leaves from `start` on, each a line of canonical JSON whose bytes are hashed as they are."""

    start: int
    leaves: list[str]


class ProofAnswer(BaseModel):
    """Hashes in base64, in the order of RFC 9162."""

    proof: list[str]


class OpeningAnswer(BaseModel):
    """Which commitment (decimal) the leaf at `index` is about, and its salt in base64."""

    index: int
    commitment: str
    salt: str


class OpeningsAnswer(BaseModel):
    """Openings in the order of their leaves; `next` is where to go on, null at the end."""

    openings: list[OpeningAnswer]
    next: int | None


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its description."""
    schema = {"type": "object", "description": "Problem details (RFC 9457)"}
    content = {"application/problem+json": {"schema": schema}}
    return {
        code: {"description": "Problem details (RFC 9457)", "content": content}
        for code in (*codes, 500, 503)
    }


def create_log_router(journal: Journal, witnessed: Path | None = None) -> APIRouter:
    """Create the routes under /v1/log, for an application that handles `TransparencyError`.

    Args:
        journal: of the log.
        witnessed: where the newest checkpoint is that witnesses cosigned.
    """
    router = APIRouter(prefix="/v1/log")
    log = journal.log

    @router.get("/key", response_class=PlainTextResponse, responses=_problems())
    def key() -> str:
        """The verifier key of checkpoints."""
        return journal.verifier.text + "\n"

    @router.get("/checkpoint", response_class=PlainTextResponse, responses=_problems())
    def checkpoint() -> str:
        """The head of the log, signed as of now."""
        return journal.signed_checkpoint()

    @router.get("/checkpoint/witnessed", response_class=PlainTextResponse, responses=_problems(404))
    def witnessed_checkpoint() -> str:
        """The newest checkpoint that witnesses cosigned."""
        if witnessed is None or not witnessed.is_file():
            raise NotWitnessed("No witness has cosigned this log yet.")
        return witnessed.read_text()

    @router.get("/entries", responses=_problems(400))
    def entries(start: Count, end: Count) -> EntriesAnswer:
        """Leaves `start` to `end - 1`, at most 1,000, fewer where the log ends."""
        leaves = log.leaves(start, min(end, start + MAX_ENTRIES))
        return EntriesAnswer(start=start, leaves=[leaf.decode() for leaf in leaves])

    @router.get("/proof/inclusion", responses=_problems(400, 404))
    def inclusion(index: Count, size: Count) -> ProofAnswer:
        """Prove that a leaf is among the first `size`."""
        return _proof(log.inclusion(index, size))

    @router.get("/proof/consistency", responses=_problems(400, 404))
    def consistency(
        first: Annotated[int, Query(alias="from", ge=0, lt=1 << 62)],
        second: Annotated[int, Query(alias="to", ge=0, lt=1 << 62)],
    ) -> ProofAnswer:
        """Prove that the first `to` leaves begin with the first `from`."""
        return _proof(log.consistency(first, second))

    @router.get("/openings", responses=_problems(400))
    def openings(start: Count = 0) -> OpeningsAnswer:
        """What is disclosed of leaves from `start` on, at most 1,000."""
        return _openings(log, start)

    return router


def _openings(log: DecisionLog, start: int) -> OpeningsAnswer:
    found = log.openings(start, MAX_OPENINGS)
    return OpeningsAnswer(
        openings=[
            OpeningAnswer(
                index=disclosed.index,
                commitment=str(disclosed.opening.commitment),
                salt=base64.b64encode(disclosed.opening.salt).decode(),
            )
            for disclosed in found
        ],
        next=found[-1].index + 1 if len(found) == MAX_OPENINGS else None,
    )


def _proof(hashes: list[bytes]) -> ProofAnswer:
    return ProofAnswer(proof=[base64.b64encode(found).decode() for found in hashes])
