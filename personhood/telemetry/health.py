"""Whether the service can be relied upon: live, ready, degraded, and by which concern.

Down is: no enrolment can be decided, send people elsewhere. Degraded is: decisions are made, and
somebody has to look. That an epoch is closed is neither: enrolment goes on, and the chain's
monitor tells it as what it is.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel

from enrollment.errors import EnrollmentError
from enrollment.requests import request_id_of
from uniqueness.errors import PrivateMatchingError, UniquenessError
from uniqueness.gallery import Gallery

OLD_REVIEW: Final = 7 * 24 * 3600  # seconds
_NEAR: Final = 0.8  # of the safe population
_KEPT: Final = 5.0  # seconds that an answer is kept, so that probes cost nothing


class Concern(StrEnum):
    """Why a service that decides is degraded."""

    CALIBRATION_MISSING = "calibration_missing"  # nobody knows the error rates
    SAFE_POPULATION_NEAR = "safe_population_near"  # 80 % of it is reached
    SAFE_POPULATION_EXCEEDED = "safe_population_exceeded"  # the error rates hold no more
    SNAPSHOT_UNWRITABLE = "snapshot_unwritable"  # the next start takes long
    REVIEWS_OLD = "reviews_old"  # somebody waits for a week
    REPLAY_GUARD_OFF = "replay_guard_off"  # a picture can be sent twice: trials alone
    STANDSTILL = "standstill"  # the database cannot be read
    PARTIES_STANDSTILL = "parties_standstill"  # one does not answer, or they disagree


_STANDING: Final = {Concern.STANDSTILL, Concern.PARTIES_STANDSTILL}


@dataclass(frozen=True)
class Vitals:
    """What health is told from.

    Args:
        gallery: that decides.
        safe_population: None where nobody knows.
        waiting_since: Unix seconds of each review that waits, the first one first.
        is_snapshot_unsaved: whether the last snapshot could not be written.
        has_replay_guard: whether pictures that came before are refused.
    """

    gallery: Gallery
    safe_population: int | None
    waiting_since: Callable[[], Sequence[float]]
    is_snapshot_unsaved: Callable[[], bool]
    has_replay_guard: bool

    def concerns(self) -> tuple[Concern, ...]:
        """Every reason for somebody to look, as of now.

        Raises:
            UniquenessError, EnrollmentError: nothing can be decided.
        """
        self.gallery.require_working()
        waiting, people = self.waiting_since(), len(self.gallery)
        safe = self.safe_population
        found = {
            Concern.CALIBRATION_MISSING: safe is None,
            Concern.SAFE_POPULATION_NEAR: safe is not None and _NEAR * safe <= people <= safe,
            Concern.SAFE_POPULATION_EXCEEDED: safe is not None and people > safe,
            Concern.SNAPSHOT_UNWRITABLE: self.is_snapshot_unsaved(),
            Concern.REVIEWS_OLD: bool(waiting) and time.time() - waiting[0] > OLD_REVIEW,
            Concern.REPLAY_GUARD_OFF: not self.has_replay_guard,
        }
        return tuple(concern for concern, holds in found.items() if holds)


class Readiness(BaseModel):
    """The answer of /v1/ready."""

    status: str
    concerns: list[str]
    request_id: str


class Liveness(BaseModel):
    """The answer of /v1/live."""

    status: str
    request_id: str


def create_health_router(vitals: Vitals) -> APIRouter:
    """`GET /v1/live` and `GET /v1/ready`; an orchestrator restarts by the first alone."""
    router = APIRouter(prefix="/v1")
    kept: tuple[float, tuple[Concern, ...]] = (-_KEPT, ())

    @router.get("/live")
    def live(request: Request) -> Liveness:
        """Tell that this process answers."""
        return Liveness(status="ok", request_id=request_id_of(request))

    @router.get("/ready")
    def ready(request: Request, response: Response) -> Readiness:
        """Tell whether enrolments are decided, and what somebody should look at."""
        nonlocal kept
        state, concerns = "ok", kept[1]
        if time.monotonic() - kept[0] >= _KEPT:
            concerns = _read(vitals)
            kept = (time.monotonic(), concerns)
        if not vitals.gallery.is_open or _STANDING & set(concerns):
            state = "down"
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        elif concerns:
            state = "degraded"
        return Readiness(status=state, concerns=list(concerns), request_id=request_id_of(request))

    return router


def _read(vitals: Vitals) -> tuple[Concern, ...]:
    try:
        return vitals.concerns()
    except PrivateMatchingError:
        return (Concern.PARTIES_STANDSTILL,)
    except (UniquenessError, EnrollmentError):
        return (Concern.STANDSTILL,)
