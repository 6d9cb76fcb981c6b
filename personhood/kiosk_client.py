"""Sends a photograph to the enrolment service, as a kiosk does."""

import base64
import hashlib
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from personhood.errors import ServiceUnreachable

TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class KioskAnswer:
    """What the service said.

    Attributes:
        outcome: ``accepted``, ``duplicate`` or ``review``; ``refused`` when there was no decision.
        code: the stable code of the refusal; None where there was a decision.
        text: what the person should do next.
        seconds: from request to answer.
    """

    outcome: str
    code: str | None
    text: str
    seconds: float


class KioskClient:
    """One kiosk's connection to the service. Use as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def is_ready(self) -> bool:
        """Whether the service answers and can decide."""
        try:
            return self._http.get("/v1/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def enroll(self, photo: bytes, commitment: int) -> KioskAnswer:
        """Send one enrolment. Sending the same again gives the same answer and enrols once.

        Args:
            photo: an encoded JPEG, PNG or WebP.
            commitment: the wallet's identity commitment.

        Raises:
            ServiceUnreachable: there was no answer, or one that is not the service's.
        """
        key = hashlib.sha256(commitment.to_bytes(32, "big") + photo).hexdigest()
        body = {"commitment": str(commitment), "capture": base64.b64encode(photo).decode()}
        try:
            response = self._http.post(
                "/v1/enrollments", json=body, headers={"Idempotency-Key": key}
            )
            return _read(response.json(), response.elapsed.total_seconds())
        except httpx.TransportError as lost:
            raise ServiceUnreachable(
                f"no enrolment service answers at {self._http.base_url}: start it with "
                "`personhood serve`, then send the same again; nobody is enrolled twice"
            ) from lost
        except (ValueError, KeyError) as foreign:
            raise ServiceUnreachable(
                f"what answers at {self._http.base_url} is not the enrolment service: "
                "check PERSONHOOD_SERVICE_URL"
            ) from foreign


def _read(answer: dict[str, Any], seconds: float) -> KioskAnswer:
    if "outcome" in answer:
        return KioskAnswer(answer["outcome"], None, answer["next"], seconds)
    return KioskAnswer("refused", answer["code"], answer["detail"], seconds)
