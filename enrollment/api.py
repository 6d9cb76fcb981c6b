"""The HTTP interface of enrolment, for kiosks; `personhood.app.open_service` puts it together.

A kiosk registers once; then each person has a session and, in it, an enrolment. Every request but
the registration is signed by the kiosk (`enrollment.signatures`). Photographs travel as base64 in
JSON and live in memory only: multipart forms would be spooled to disk.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Header, Request, Response, status

from enrollment.description import DescribedApp, problems
from enrollment.gate import MAX_BODY, MAX_SMALL_BODY, Admitted, Gate, Turnstile, read_json
from enrollment.kiosks import KioskRegistry
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose
from enrollment.receipts import ReceiptIssuer
from enrollment.requests import RequestEnd, install_problem_handlers, request_id_of
from enrollment.sessions import LIFETIME, SessionStore
from enrollment.store import Enrollment, EnrollmentRequest, EnrollmentStatus
from enrollment.wire import (
    EnrollmentAnswer,
    EnrollmentBody,
    HealthAnswer,
    RegistrationAnswer,
    RegistrationBody,
    SessionAnswer,
    SessionBody,
    from_base64,
    parse,
    schema,
)
from identity_proofs.statement import EnrollmentStatement

MAX_IN_FLIGHT: Final = 64  # enrolments, and the memory of as many bodies

_NEXT: Final = {
    EnrollmentStatus.ACCEPTED: "Done. The wallet becomes a member when the next root is published.",
    EnrollmentStatus.DUPLICATE: "This person is enrolled already and keeps the first wallet. "
    "Nothing was stored. An operator can help if the wallet was lost.",
    EnrollmentStatus.REVIEW: "Not decided yet. Nothing was stored. Take another photograph in "
    "better light, or ask an operator.",
}

IdempotencyKey = Annotated[str, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


@dataclass(frozen=True)
class FrontDesk:
    """What the routes need.

    Args:
        service: ready.
        kiosks: who may enrol.
        sessions: turns under way.
        receipts: signs acceptances.
        draw_poses: what the frames of a new session have to show.
        requests_per_minute: of one kiosk.
        workers: requests worked on at a time; by default two more than there are cores, so that
            the cores stay busy while the gallery commits.
        max_in_flight: enrolments that are worked on or wait; one more is refused as busy.
        observe: told how each request ended.
    """

    service: EnrollmentService
    kiosks: KioskRegistry
    sessions: SessionStore
    receipts: ReceiptIssuer
    draw_poses: Callable[[], tuple[Pose, ...]]
    requests_per_minute: int
    workers: int | None = None
    max_in_flight: int = MAX_IN_FLIGHT
    observe: Callable[[RequestEnd], None] | None = None

    @cached_property
    def turnstile(self) -> Turnstile:
        """Counts the enrolments that are worked on or wait."""
        return Turnstile(self.max_in_flight)


def create_app(desk: FrontDesk) -> FastAPI:
    """Create the application: see `create_router`."""
    app = DescribedApp(title="personhood enrolment", version="1", docs_url=None, redoc_url=None)
    app.include_router(create_router(desk))
    install_problem_handlers(app, desk.observe)
    return app


def create_router(desk: FrontDesk) -> APIRouter:
    """Create the routes, for an application that has `install_problem_handlers`."""
    router = APIRouter(prefix="/v1")
    gate = Gate(desk.kiosks, desk.requests_per_minute)
    limiter = CapacityLimiter(desk.workers or (os.cpu_count() or 1) + 2)

    @router.post(
        "/kiosks",
        status_code=status.HTTP_201_CREATED,
        responses=problems(400, 403, 413, 415, 503),
        openapi_extra=schema(RegistrationBody),
    )
    async def register(request: Request) -> RegistrationAnswer:
        """Register a kiosk's public key with a one-time code."""
        body = await read_json(request, MAX_SMALL_BODY)
        return await to_thread.run_sync(partial(_register, desk, body), limiter=limiter)

    @router.post(
        "/sessions",
        status_code=status.HTTP_201_CREATED,
        responses=problems(400, 401, 403, 413, 415, 429, 503),
        openapi_extra=schema(SessionBody),
    )
    async def begin(request: Request) -> SessionAnswer:
        """Begin one person's turn."""
        admitted = await gate.admit(request, MAX_SMALL_BODY)
        return await to_thread.run_sync(partial(_begin, desk, admitted), limiter=limiter)

    @router.post(
        "/enrollments",
        status_code=status.HTTP_201_CREATED,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503)
        | {200: {"model": EnrollmentAnswer, "description": "A duplicate, or to be reviewed"}},
        openapi_extra=schema(EnrollmentBody),
    )
    async def enroll(
        request: Request, response: Response, idempotency_key: IdempotencyKey
    ) -> EnrollmentAnswer:
        """Enrol the person of a session; the same request again gets the same answer."""
        with desk.turnstile.enter():
            admitted = await gate.admit(request, MAX_BODY)
            work = partial(_enroll, desk, admitted, idempotency_key, request_id_of(request))
            answer = await to_thread.run_sync(work, limiter=limiter)
        request.state.outcome = answer.outcome
        if answer.outcome != EnrollmentStatus.ACCEPTED.value:
            response.status_code = status.HTTP_200_OK
        return answer

    @router.get("/keys")
    async def keys() -> dict[str, list[dict[str, str]]]:
        """The key set that receipts are checked with."""
        return desk.receipts.key_set

    @router.get("/health")
    async def health(request: Request, response: Response) -> HealthAnswer:
        """Tell whether enrolments can be decided."""
        is_open = desk.service.is_open
        if not is_open:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return HealthAnswer(
            status="ok" if is_open else "down",
            model=desk.service.model,
            gallery_open=is_open,
            request_id=request_id_of(request),
        )

    return router


def _register(desk: FrontDesk, body: bytes) -> RegistrationAnswer:
    sent = parse(RegistrationBody, body)
    kiosk = desk.kiosks.register(sent.code, from_base64(sent.public_key, urlsafe=True))
    return RegistrationAnswer(kiosk_id=kiosk.id, name=kiosk.name)


def _begin(desk: FrontDesk, admitted: Admitted) -> SessionAnswer:
    parse(SessionBody, admitted.body)
    session = desk.sessions.open(admitted.kiosk, desk.draw_poses())
    return SessionAnswer.model_validate(
        {
            "session_id": session.id,
            "challenge": session.challenge,
            "poses": session.poses,
            "expires_in": LIFETIME,
        }
    )


def _enroll(
    desk: FrontDesk, admitted: Admitted, idempotency_key: str, request_id: str
) -> EnrollmentAnswer:
    sent = parse(EnrollmentBody, admitted.body)
    session = desk.sessions.find(sent.session_id, admitted.kiosk, idempotency_key)
    commitment = EnrollmentStatement.from_text(sent.statement).commitment_for(session.challenge)
    frames = tuple(from_base64(frame) for frame in sent.frames)
    digest = hashlib.sha256(admitted.body).hexdigest()
    request = EnrollmentRequest(idempotency_key, digest, commitment, admitted.kiosk.id)
    enrollment = desk.service.enroll(request, frames, session.poses)
    desk.sessions.close(session, idempotency_key)
    return _answer(desk, enrollment, commitment, request_id)


def _answer(
    desk: FrontDesk, enrollment: Enrollment, commitment: int, request_id: str
) -> EnrollmentAnswer:
    accepted = enrollment.status is EnrollmentStatus.ACCEPTED
    return EnrollmentAnswer.model_validate(
        {
            "outcome": enrollment.status.value,
            "next": _NEXT[enrollment.status],
            "enrollment_id": enrollment.id if accepted else None,
            "receipt": desk.receipts.issue(enrollment, commitment) if accepted else None,
            "request_id": request_id,
        }
    )
