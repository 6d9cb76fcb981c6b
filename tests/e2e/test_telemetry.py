"""A whole run of the service: what its logs and metrics tell, and what they never tell."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from enrollment.examination import Examiner
from enrollment.face_models import open_models
from enrollment.packs import load_packs
from enrollment.pose import Pose
from identity_proofs.identity import Identity
from personhood.demo.people import Person, read_default_people
from personhood.kiosk_client import KioskClient
from personhood.registers import open_kiosks
from personhood.settings import Settings

pytestmark = pytest.mark.slow

TOKEN = "metrics-token-of-this-test"


@dataclass
class Run:
    """What was sent, and what came of it."""

    home: Path
    metrics: str = ""
    log: str = ""
    refused: int = 0
    ready: dict[str, object] = field(default_factory=dict)
    live: int = 0
    people: list[Person] = field(default_factory=list)
    wallets: list[Identity] = field(default_factory=list)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three people enrol, two come again, one sends no face, a stranger sends no signature."""
    run = Run(tmp_path_factory.mktemp("home"), people=list(read_default_people())[:3])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PERSONHOOD_HOME": str(run.home),
        "PERSONHOOD_CAPTURE": "photograph",
        "PERSONHOOD_METRICS_TOKEN": TOKEN,
    }
    command = [sys.executable, "-m", "personhood", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with KioskClient(url) as kiosk:
            deadline = time.monotonic() + 60
            while not kiosk.is_ready():
                assert process.poll() is None, process.communicate()[0].decode()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            kiosk.register(open_kiosks(Settings(home=run.home)).invite("hall"))
            _visit(kiosk, run)
        httpx.post(f"{url}/v1/sessions", json={})
        run.refused = httpx.get(f"{url}/metrics").status_code
        given = {"Authorization": f"Bearer {TOKEN}"}
        run.metrics = httpx.get(f"{url}/metrics", headers=given).text
        run.ready = httpx.get(f"{url}/v1/ready").json()
        run.live = httpx.get(f"{url}/v1/live").status_code
    finally:
        process.terminate()
        run.log = process.communicate()[0].decode()
    return run


def _visit(kiosk: KioskClient, run: Run) -> None:
    def send(photograph: bytes) -> str:
        run.wallets.append(Identity.generate())
        answer = kiosk.enroll(photograph, run.wallets[-1])
        return answer.outcome

    assert [send(person.photographs[0]) for person in run.people] == ["accepted"] * 3
    assert [send(person.photographs[1]) for person in run.people[:2]] == ["duplicate"] * 2
    assert send(b"no photograph") == "refused"


def test_what_happened_is_told(run: Run) -> None:
    enrollments = 'personhood_enrollments_total{kiosk="hall",'
    for line in (
        enrollments + 'outcome="accepted",reason=""} 3.0',
        enrollments + 'outcome="duplicate",reason=""} 2.0',
        enrollments + 'outcome="refused",reason="image_unsupported"} 1.0',
        "personhood_people 3.0",
        "personhood_decision_seconds_count 6.0",
        'personhood_concern{code="replay_guard_off"} 1.0',
        'personhood_requests_total{route="/v1/sessions",status="401"} 1.0',
    ):
        assert line in run.metrics
    assert run.refused == 401
    assert run.live == 200
    assert run.ready["status"] == "degraded"
    assert set(run.ready["concerns"]) == {"calibration_missing", "replay_guard_off"}


def test_every_line_is_json_and_names_its_request(run: Run) -> None:
    lines = [json.loads(line) for line in run.log.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) > 10
    assert len({line["request_id"] for line in requests}) == len(requests)


def forbidden(run: Run) -> Iterator[str]:
    """Everything that must not be told, in the forms in which it could be."""
    for wallet in run.wallets:
        number = wallet.commitment
        raw = number.to_bytes(32)
        yield from (str(number), f"{number:x}", base64.b64encode(raw).decode()[:40])
    for person in run.people:
        for photograph in person.photographs[:2]:
            middle = photograph[1200:1224]  # a multiple of three from its beginning
            yield from (middle.hex(), base64.b64encode(middle).decode())
    for path in run.home.rglob("*.key"):
        yield from (path.read_bytes().hex(), base64.b64encode(path.read_bytes()).decode())
    yield TOKEN
    yield from ("similarity", "cosine", "personhood-enrol:", 'template"')


def scores(run: Run) -> list[float]:
    """How near the people came: what the service computed and compared."""
    settings = Settings()
    examiner = Examiner(open_models(load_packs(settings.model_pack, settings.models_dir())))
    vectors = [
        examiner.examine([photograph], [Pose.FRONT]).templates[0].vector
        for person in run.people
        for photograph in person.photographs[:2]
    ]
    return [float(a @ b) for n, a in enumerate(vectors) for b in vectors[:n]]


def test_no_commitment_picture_key_or_score_is_told(run: Run) -> None:
    told = run.log + run.metrics
    secrets = list(forbidden(run))
    assert len(secrets) > 30
    for secret in secrets:
        assert secret not in told
    figures = "\n".join(line for line in told.splitlines() if "_seconds_sum" not in line)
    numbers = {match[:6] for match in re.findall(r"(?<!\d)0\.\d{4,}", figures)}
    assert not {f"{score:.4f}" for score in scores(run)} & numbers
