"""A wallet that speaks to the enrolment service without a kiosk: to be forgotten."""

from types import TracebackType
from typing import Any, Self

import httpx

from identity_proofs.identity import Identity
from identity_proofs.statement import EnrollmentStatement, Purpose
from personhood.errors import ServiceUnreachable
from personhood.kiosk_client import TIMEOUT, accepted


class WalletClient:
    """One wallet's connection to the service. Use as a context manager.

    Raises:
        ServiceUnreachable: in every method, there was no answer, or one that is not the service's.
        ServiceRefused: in every method, the service refused, and says why.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def delete(self, identity: Identity, *, only_images: bool = False) -> dict[str, Any]:
        """Ask to be forgotten, or that the pictures are; see `enrollment.wire.DeletionAnswer`."""
        purpose = Purpose.FORGET_IMAGES if only_images else Purpose.DELETE
        challenge = self._post("/v1/challenges", {})["challenge"]
        body = {
            "challenge": challenge,
            "statement": EnrollmentStatement.sign(identity, challenge, purpose).to_text(),
        }
        return self._post("/v1/deletions", body | ({"only": "images"} if only_images else {}))

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        try:
            return accepted(self._http.post(path, json=body))
        except httpx.TransportError as lost:
            raise ServiceUnreachable(
                f"no enrolment service answers at {self._http.base_url}: try again; what was begun "
                "goes on"
            ) from lost
