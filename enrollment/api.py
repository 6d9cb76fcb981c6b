"""The HTTP interface of enrolment, for kiosks.

    engine = create_engine("sqlite:///data/personhood.db")
    pack = load_pack("opencv", cache)
    detector, embedder = open_engine(pack)
    store = GalleryStore(engine, KeyFiles(key_file))
    indexes = {pack.manifest.model: FaissFlatIndex(pack.manifest.embedding_size)}
    with Ownership(engine), Gallery.open(store, indexes, pack.manifest.thresholds) as gallery:
        service = EnrollmentService(detector, embedder, gallery, EnrollmentStore(engine))
        app = create_app(service, kiosk_token=token)
        ...

A photograph travels as base64 in JSON and lives in memory only: multipart forms would be
spooled to disk.
"""

import base64
import binascii
import hmac
import os
from functools import partial
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Header, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enrollment.capture import MAX_BYTES
from enrollment.errors import (
    KioskUnauthorized,
    MalformedRequest,
    RequestTooLarge,
    UnsupportedMediaType,
)
from enrollment.pipeline import EnrollmentService
from enrollment.problems import MEDIA_TYPE
from enrollment.requests import install_problem_handlers, request_id_of
from enrollment.store import Enrollment, EnrollmentStatus
from identity_proofs.field import parse_commitment

MAX_BODY = MAX_BYTES * 4 // 3 + 4096  # bytes: base64, and room for the rest of the object

_NEXT = {
    EnrollmentStatus.ACCEPTED: "Done. The wallet becomes a member when the next root is published.",
    EnrollmentStatus.DUPLICATE: "This person is enrolled already and keeps the first wallet. "
    "Nothing was stored. An operator can help if the wallet was lost.",
    EnrollmentStatus.REVIEW: "Not decided yet. Nothing was stored. Take another photograph in "
    "better light, or ask an operator.",
}


class EnrollmentBody(BaseModel):
    """What a kiosk sends."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    commitment: str = Field(description="identity commitment, decimal or 0x hexadecimal, in [1, r)")
    capture: str = Field(description="base64 of a JPEG, PNG or WebP photograph, at most 8 MiB")


class EnrollmentAnswer(BaseModel):
    """What a kiosk gets: an outcome and what to do next."""

    outcome: Literal["accepted", "duplicate", "review"]
    next: str
    enrollment_id: str | None = None
    request_id: str


class HealthAnswer(BaseModel):
    """Whether the service can enrol, and with which model."""

    status: Literal["ok", "down"]
    model: str
    gallery_open: bool
    request_id: str


def create_app(
    service: EnrollmentService, *, kiosk_token: str, workers: int | None = None
) -> FastAPI:
    """Create the application: see `create_router`."""
    app = FastAPI(title="personhood enrolment", version="1", docs_url=None, redoc_url=None)
    app.include_router(create_router(service, kiosk_token=kiosk_token, workers=workers))
    install_problem_handlers(app)
    return app


def create_router(
    service: EnrollmentService, *, kiosk_token: str, workers: int | None = None
) -> APIRouter:
    """Create the routes, for an application that has `install_problem_handlers`.

    Args:
        service: ready.
        kiosk_token: the bearer token that kiosks send; not empty.
        workers: photographs worked on at a time; by default two more than there are cores, so
            that the cores stay busy while the gallery commits.
    """
    if not kiosk_token:
        raise ValueError("the kiosk token must not be empty")
    router = APIRouter(prefix="/v1")
    limiter = CapacityLimiter(workers or (os.cpu_count() or 1) + 2)

    @router.post(
        "/enrollments",
        status_code=status.HTTP_201_CREATED,
        response_model_exclude_none=True,
        responses=_DOCUMENTED_ANSWERS,
        openapi_extra={"requestBody": _DOCUMENTED_BODY},
    )
    async def enroll(
        request: Request,
        response: Response,
        authorization: Annotated[str, Header()] = "",
        idempotency_key: Annotated[
            str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
        ] = None,
    ) -> EnrollmentAnswer:
        """Enrol one person from one photograph."""
        _authenticate(authorization, kiosk_token)
        _require_json(request)
        body = await _read_body(request)
        work = partial(_enroll, service, body, idempotency_key)
        enrollment = await to_thread.run_sync(work, limiter=limiter)
        if enrollment.status is not EnrollmentStatus.ACCEPTED:
            response.status_code = status.HTTP_200_OK
        return _answer(enrollment, request_id_of(request))

    @router.get("/health")
    async def health(request: Request, response: Response) -> HealthAnswer:
        """Tell whether enrolments can be decided."""
        if not service.is_open:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return HealthAnswer(
            status="ok" if service.is_open else "down",
            model=service.model,
            gallery_open=service.is_open,
            request_id=request_id_of(request),
        )

    return router


def _enroll(service: EnrollmentService, body: bytes, idempotency_key: str | None) -> Enrollment:
    """Parse a body and enrol; in a worker thread, for both take time."""
    try:
        parsed = EnrollmentBody.model_validate_json(body)
        capture = base64.b64decode(parsed.capture, validate=True)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors())
        raise MalformedRequest(
            f'Send {{"commitment": "...", "capture": "<base64>"}}; wrong here: {fields}.'
        ) from None
    except (binascii.Error, ValueError):
        raise MalformedRequest("The capture is not base64.") from None
    return service.enroll(parse_commitment(parsed.commitment), capture, idempotency_key)


def _authenticate(authorization: str, kiosk_token: str) -> None:
    scheme, _, token = authorization.partition(" ")
    # Compared as bytes in constant time: the time taken tells nothing of the token.
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), kiosk_token.encode()):
        raise KioskUnauthorized("This kiosk is not registered. Send its token as a bearer token.")


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("Send the request as application/json.")


async def _read_body(request: Request) -> bytes:
    """Read the body, and stop as soon as it is longer than any that is taken."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RequestTooLarge(f"The request is larger than {MAX_BODY} bytes.")
    return bytes(body)


def _answer(enrollment: Enrollment, request_id: str) -> EnrollmentAnswer:
    accepted = enrollment.status is EnrollmentStatus.ACCEPTED
    return EnrollmentAnswer.model_validate(
        {
            "outcome": enrollment.status.value,
            "next": _NEXT[enrollment.status],
            "enrollment_id": enrollment.id if accepted else None,
            "request_id": request_id,
        }
    )


_DOCUMENTED_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": EnrollmentBody.model_json_schema()}},
}
_DOCUMENTED_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": EnrollmentAnswer, "description": "Decided: a duplicate, or to be reviewed"},
    **{
        code: {"description": "Problem details (RFC 9457)", "content": {MEDIA_TYPE: {}}}
        for code in (400, 401, 409, 413, 415, 422, 500, 503)
    },
}
