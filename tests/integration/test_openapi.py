"""The service's own description of its interface: it holds, and a client can be made of it."""

import base64
import importlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from enrollment.signatures import sign
from identity_proofs.statement import EnrollmentStatement
from personhood.kiosk_client import Device
from tests.photographs import as_jpeg, astronaut
from tests.service import Kiosk, wallet

pytestmark = pytest.mark.slow


class SignedByKiosk(requests.auth.AuthBase):
    """Signs what schemathesis makes up, so that it comes past the door."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if "content-type" not in request.headers:
            return request  # refused before anybody looks at a signature
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        headers = dict(request.headers)
        signed = sign(
            request.method or "",
            request.url or "",
            content,
            kiosk_id=self._device.kiosk_id,
            key=self._device.key,
            headers=headers,
        )
        request.headers.update(signed)
        return request


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MADE_UP = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("mode", GenerationMode)
def test_it_answers_as_it_describes(kiosk: Kiosk, mode: GenerationMode) -> None:
    """Requests made up from the description, right ones and wrong ones."""
    description = schemathesis.openapi.from_url(str(kiosk.client.base_url.join("/openapi.json")))
    turn = kiosk.post("/v1/sessions", b"{}").json()["session_id"]
    statuses: Counter[int] = Counter()
    operations = [found.ok() for found in description.get_all_operations()]
    assert {operation.path for operation in operations} >= {"/v1/sessions", "/v1/enrollments"}
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # there is nothing that could be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @MADE_UP
        def answers_well(case: schemathesis.Case) -> None:
            if isinstance(case.body, dict) and "session_id" in case.body:
                case.body["session_id"] = turn  # one that exists, to come further
            answer = case.call(auth=SignedByKiosk(kiosk.device))
            case.validate_response(answer, checks=CHECKS)
            statuses[answer.status_code] += 1

        answers_well()
    wrong = {status for status in statuses if 400 <= status < 500}
    assert wrong
    assert set(statuses) == wrong or mode is GenerationMode.POSITIVE
    assert kiosk.stored() == (0, 0)


class SigningTransport(httpx.HTTPTransport):
    """What a kiosk's vendor adds to the generated client: the device's signature."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self._device = device

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        signed = sign(
            request.method,
            str(request.url),
            request.read(),
            kiosk_id=self._device.kiosk_id,
            key=self._device.key,
            headers=dict(request.headers),
        )
        request.headers.update(signed)
        return super().handle_request(request)


def test_a_client_made_of_the_description_enrols_somebody(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    description = tmp_path / "openapi.json"
    description.write_bytes(kiosk.client.get("/openapi.json").content)
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--path", description, "--output-path", tmp_path / "made", "--meta", "none"),
        ],
        check=False,
        capture_output=True,
        text=True,
        # It formats what it made with ruff, which is beside the interpreter.
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    made_module = importlib.import_module("made")
    begin = importlib.import_module("made.api.default.begin_v1_sessions_post")
    enroll = importlib.import_module("made.api.default.enroll_v1_enrollments_post")
    models = importlib.import_module("made.models")
    url = str(kiosk.client.base_url)
    client = made_module.Client(base_url=url).set_httpx_client(
        httpx.Client(base_url=url, transport=SigningTransport(kiosk.device), timeout=60)
    )
    with client:
        turn = begin.sync(client=client, body=models.SessionBody())
        statement = EnrollmentStatement.sign(wallet(1), turn.challenge).to_text()
        frame = base64.b64encode(as_jpeg(astronaut())).decode()
        body = models.EnrollmentBody(turn.session_id, statement, [frame])
        answer = enroll.sync(client=client, body=body, idempotency_key="made")
        assert answer.outcome == "accepted"
        refused = enroll.sync(client=client, body=body, idempotency_key="another")
        assert (refused.status, refused.code) == (410, "session_expired")
    assert kiosk.stored() == (1, 1)
