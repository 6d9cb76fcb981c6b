"""The routes for a wallet that asks to be forgotten; no kiosk has to stand between."""

from functools import partial
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, status

from enrollment.challenges import LIFETIME, Challenges
from enrollment.deletion import DeletionService
from enrollment.description import problems
from enrollment.gate import MAX_SMALL_BODY, read_json
from enrollment.limits import AddressRateLimit
from enrollment.receipts import ReceiptIssuer
from enrollment.requests import request_id_of
from enrollment.wire import (
    ChallengeAnswer,
    ChallengeBody,
    DeletionAnswer,
    DeletionBody,
    parse,
    schema,
)
from identity_proofs.statement import EnrollmentStatement, Purpose

PER_MINUTE: Final = 60  # requests of one address

_NEXT: Final = {
    "deleted": "Done. What was kept of you is deleted, and the wallet is no member from the next "
    "root on. Epochs whose root is frozen with it in it can still be claimed.",
    "deleted_before": "This was done before. Here is the receipt again.",
    "withdrawn": "Done. The review is over, and what was kept for it is deleted.",
    "images_deleted": "Done. The pictures are deleted; you stay enrolled.",
    "no_images": "There are no pictures of you. You stay enrolled.",
}


def add_deletion_routes(
    router: APIRouter,
    service: DeletionService,
    challenges: Challenges,
    receipts: ReceiptIssuer,
    limiter: CapacityLimiter,
) -> None:
    """Add the routes."""
    rate = AddressRateLimit(PER_MINUTE)

    @router.post(
        "/challenges",
        status_code=status.HTTP_201_CREATED,
        responses=problems(400, 413, 415, 429),
        openapi_extra=schema(ChallengeBody),
    )
    async def challenge(request: Request) -> ChallengeAnswer:
        """Ask for a challenge that a wallet is to sign."""
        rate.take(request.client.host if request.client else "")
        parse(ChallengeBody, await read_json(request, MAX_SMALL_BODY))
        return ChallengeAnswer(challenge=challenges.issue(), expires_in=LIFETIME)

    @router.post(
        "/deletions",
        response_model_exclude_none=True,
        responses=problems(400, 404, 409, 413, 415, 422, 429, 503),
        openapi_extra=schema(DeletionBody),
    )
    async def delete(request: Request) -> DeletionAnswer:
        """Forget the person who holds a wallet, or only their pictures."""
        rate.take(request.client.host if request.client else "")
        sent = parse(DeletionBody, await read_json(request, MAX_SMALL_BODY))
        challenges.require(sent.challenge)
        work = partial(_delete, service, receipts, sent, request_id_of(request))
        return await to_thread.run_sync(work, limiter=limiter)


def _delete(
    service: DeletionService, receipts: ReceiptIssuer, sent: DeletionBody, request_id: str
) -> DeletionAnswer:
    purpose = Purpose.FORGET_IMAGES if sent.only else Purpose.DELETE
    statement = EnrollmentStatement.from_text(sent.statement, purpose)
    commitment = statement.commitment_for(sent.challenge)
    receipt = None
    if sent.only:
        outcome = "images_deleted" if service.forget_images(commitment) else "no_images"
    else:
        done = service.delete(commitment)
        outcome = "deleted_before" if done.before else "deleted"
        if done.removal is None:
            outcome = "withdrawn"
        else:
            receipt = receipts.issue_deletion(done.removal)
    return DeletionAnswer.model_validate(
        {"outcome": outcome, "next": _NEXT[outcome], "receipt": receipt, "request_id": request_id}
    )
