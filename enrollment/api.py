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

from enrollment.answers import CODES, answer_of
from enrollment.challenges import Challenges
from enrollment.deletion_routes import add_deletion_routes
from enrollment.description import DescribedApp, problems
from enrollment.errors import EnrollmentUndecided, EnrollmentUnknown
from enrollment.gate import MAX_BODY, MAX_SMALL_BODY, Admitted, Gate, Turnstile, read_json
from enrollment.kept import Consent
from enrollment.kiosks import KioskRegistry
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose
from enrollment.receipts import ReceiptIssuer
from enrollment.requests import RequestEnd, install_problem_handlers, request_id_of
from enrollment.rows import EnrollmentKind, EnrollmentRequest, EnrollmentStatus
from enrollment.sessions import LIFETIME, SessionStore
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
from identity_proofs.statement import EnrollmentStatement, Purpose

MAX_IN_FLIGHT: Final = 64  # enrolments, and the memory of as many bodies

_PURPOSES: Final = {
    EnrollmentKind.ENROLLMENT: Purpose.ENROL,
    EnrollmentKind.RECOVERY: Purpose.RECOVER,
}

IdempotencyKey = Annotated[str, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


@dataclass(frozen=True)
class FrontDesk:
    """What the routes need.

    Args:
        service: ready.
        kiosks: who may enrol.
        sessions: turns under way.
        receipts: signs acceptances and deletions.
        challenges: for wallets that come without a kiosk.
        draw_poses: what the frames of a new session have to show.
        requests_per_minute: of one kiosk.
        workers: requests worked on at a time; by default two more than there are cores, so that
            the cores stay busy while the gallery commits.
        keeps_images: whether people may let pictures be kept; else their consent is not used.
        max_in_flight: enrolments that are worked on or wait; one more is refused as busy.
        observe: told how each request ended.
    """

    service: EnrollmentService
    kiosks: KioskRegistry
    sessions: SessionStore
    receipts: ReceiptIssuer
    challenges: Challenges
    draw_poses: Callable[[], tuple[Pose, ...]]
    requests_per_minute: int
    workers: int | None = None
    max_in_flight: int = MAX_IN_FLIGHT
    keeps_images: bool = True
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
        | {
            200: {"model": EnrollmentAnswer, "description": "Refused, or to be tried again"},
            202: {"model": EnrollmentAnswer, "description": "Two people are going to decide"},
        },
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
        response.status_code = CODES.get(answer.outcome, status.HTTP_200_OK)
        return answer

    @router.get(
        "/enrollments/{enrollment_id}",
        response_model_exclude_none=True,
        responses=problems(404, 409, 503),
    )
    async def look_up(request: Request, enrollment_id: str) -> EnrollmentAnswer:
        """Tell how an enrolment went, to whoever knows its id: the person and the kiosk."""
        work = partial(_look_up, desk, enrollment_id, request_id_of(request))
        return await to_thread.run_sync(work, limiter=limiter)

    add_deletion_routes(router, desk.service.deletion, desk.challenges, desk.receipts, limiter)

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
    kind = EnrollmentKind(sent.kind)
    # A service that died between decision and answer has not closed the session.
    begun = partial(desk.service.has, idempotency_key)
    session = desk.sessions.find(sent.session_id, admitted.kiosk, idempotency_key, begun)
    statement = EnrollmentStatement.from_text(sent.statement, _PURPOSES[kind])
    request = EnrollmentRequest(
        idempotency_key,
        hashlib.sha256(admitted.body).hexdigest(),
        statement.commitment_for(session.challenge),
        admitted.kiosk.id,
        kind,
        frozenset(map(Consent, sent.consents if desk.keeps_images else ())),
    )
    frames = tuple(from_base64(frame) for frame in sent.frames)
    enrollment = desk.service.enroll(request, frames, session.poses)
    desk.sessions.close(session, idempotency_key)
    return answer_of(enrollment, desk.receipts, request_id)


def _look_up(desk: FrontDesk, enrollment_id: str, request_id: str) -> EnrollmentAnswer:
    enrollment = desk.service.find(enrollment_id)
    if enrollment is None or enrollment.status is EnrollmentStatus.DELETING:
        raise EnrollmentUnknown("No enrolment has this number, or not any more.")
    if enrollment.status is EnrollmentStatus.PENDING:
        raise EnrollmentUndecided("This enrolment is being decided. Ask again in a minute.")
    return answer_of(enrollment, desk.receipts, request_id)
