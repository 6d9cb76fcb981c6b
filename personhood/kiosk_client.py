"""A kiosk without a screen: registers a device key, and sends enrolments signed with it."""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollment.signatures import sign
from identity_proofs.identity import Identity
from identity_proofs.statement import EnrollmentStatement, Purpose
from personhood.errors import KioskNotRegistered, ServiceRefused, ServiceUnreachable
from personhood.keys import write_private

TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class Device:
    """A registered kiosk's identity."""

    kiosk_id: str
    key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            KioskNotRegistered: there is no such file, or it is not one.
        """
        try:
            content = json.loads(path.read_text())
            private = bytes.fromhex(content["private_key"])
            return cls(content["kiosk_id"], Ed25519PrivateKey.from_private_bytes(private))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KioskNotRegistered(
                f"{path} is not a registered kiosk's file: run `personhood kiosk invite NAME` "
                "beside the service, then `personhood kiosk register CODE` here"
            ) from error

    def write(self, path: Path) -> None:
        """Keep the device's identity for this user alone (mode 0600)."""
        private = self.key.private_bytes_raw().hex()
        content = json.dumps({"kiosk_id": self.kiosk_id, "private_key": private})
        write_private(path, content.encode())


@dataclass(frozen=True)
class Turn:
    """A session that the service began: see `enrollment.wire.SessionAnswer`."""

    session_id: str
    challenge: str
    poses: tuple[str, ...]


@dataclass(frozen=True)
class Prepared:
    """An enrolment ready to be sent, and sent again: twice the same enrols once."""

    idempotency_key: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KioskAnswer:
    """What the service said.

    Attributes:
        outcome: as in `enrollment.wire.Outcome`; ``refused`` when there was no decision.
        code: the stable code of the refusal; None where there was a decision.
        text: what the person should do next.
        seconds: from request to answer.
    """

    outcome: str
    code: str | None
    text: str
    seconds: float


class KioskClient:
    """One kiosk's connection to the service. Use as a context manager.

    Raises:
        ServiceUnreachable: in every method, there was no answer, or one that is not the service's.
        ServiceRefused: in every method but `send`, the service refused, and says why.
    """

    def __init__(self, url: str, device: Device | None = None) -> None:
        self.url = url
        self._device = device
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

    def is_ready(self) -> bool:
        """Whether the service answers and can decide."""
        try:
            return self._http.get("/v1/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def register(self, code: str) -> Device:
        """Make a device key and register it with the operator's one-time code."""
        key = Ed25519PrivateKey.generate()
        public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode()
        body = json.dumps({"code": code, "public_key": public.rstrip("=")}).encode()
        answer = accepted(self._post("/v1/kiosks", body, {"Content-Type": "application/json"}))
        self._device = Device(answer["kiosk_id"], key)
        return self._device

    def begin(self) -> Turn:
        """Begin one person's turn."""
        answer = accepted(self._post_signed("/v1/sessions", b"{}"))
        return Turn(answer["session_id"], answer["challenge"], tuple(answer["poses"]))

    def prepare(
        self,
        turn: Turn,
        identity: Identity,
        *frames: bytes,
        recovery: bool = False,
        consents: Sequence[str] = (),
    ) -> Prepared:
        """Put a turn's enrolment together, the wallet at hand.

        Args:
            turn: as begun.
            identity: the wallet's; it signs the turn's challenge.
            frames: encoded JPEG, PNG or WebP, one for each pose of the turn.
            recovery: the person was enrolled before, with a wallet that is lost.
            consents: `review`, `enrolled`, both or none; see docs/adjudication.md.
        """
        purpose = Purpose.RECOVER if recovery else Purpose.ENROL
        content = {
            "session_id": turn.session_id,
            "statement": EnrollmentStatement.sign(identity, turn.challenge, purpose).to_text(),
            "frames": [base64.b64encode(frame).decode() for frame in frames],
            "kind": "recovery" if recovery else "enrollment",
            "consents": list(consents),
        }
        return Prepared(secrets.token_urlsafe(16), json.dumps(content).encode())

    def send(self, prepared: Prepared) -> KioskAnswer:
        """Send an enrolment. Sending the same again gives the same answer and enrols once."""
        headers = {"Idempotency-Key": prepared.idempotency_key}
        response = self._post_signed("/v1/enrollments", prepared.body, headers)
        content, seconds = _content(response), response.elapsed.total_seconds()
        if "outcome" in content:
            return KioskAnswer(content["outcome"], None, content["next"], seconds)
        return KioskAnswer("refused", content["code"], content["detail"], seconds)

    def enroll(self, photo: bytes, identity: Identity) -> KioskAnswer:
        """Give a person one turn with one photograph, for services that take photographs."""
        return self.send(self.prepare(self.begin(), identity, photo))

    def _post_signed(
        self, path: str, body: bytes, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        if self._device is None:
            raise KioskNotRegistered(
                "this kiosk is not registered: run `personhood kiosk register`"
            )
        url = str(self._http.base_url.join(path))
        plain = {"Content-Type": "application/json"} | (headers or {})
        device = self._device
        signed = sign("POST", url, body, kiosk_id=device.kiosk_id, key=device.key, headers=plain)
        return self._post(path, body, signed)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        try:
            return self._http.post(path, content=body, headers=headers)
        except httpx.TransportError as lost:
            raise ServiceUnreachable(
                f"no enrolment service answers at {self._http.base_url}: start it with "
                "`personhood serve`, then send the same again; nobody is enrolled twice"
            ) from lost


def accepted(response: httpx.Response) -> dict[str, Any]:
    """The content of an answer that is a success.

    Raises:
        ServiceRefused: it is none, and says why.
        ServiceUnreachable: it is not the service's.
    """
    content = _content(response)
    if response.is_success:
        return content
    raise ServiceRefused(f"{content['detail']} [{content['code']}]")


def _content(response: httpx.Response) -> dict[str, Any]:
    try:
        content: dict[str, Any] = response.json()
        if response.is_success or {"code", "detail"} <= content.keys():
            return content
    except (ValueError, AttributeError):
        pass
    raise ServiceUnreachable(
        f"what answers at {response.url.scheme}://{response.url.netloc.decode()} is not the "
        "enrolment service: check PERSONHOOD_SERVICE_URL"
    )
