"""All processes at once, and kiosks that follow a challenge: what is left behind, and where.

Service with console, attester, publisher, relayer and monitor run as an operator starts them. Then
every log, every answer of `/metrics` and every file is searched.
"""

import base64
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pyotp
import pytest
from PIL import Image, ImageOps
from sqlalchemy import create_engine, text

from enrollment.errors import FaceRejected
from enrollment.examination import Examiner
from enrollment.face_models import open_models
from enrollment.packs import load_packs
from enrollment.pose import Pose
from identity_proofs.identity import Identity
from identity_proofs.keystore import load_identity
from personhood.kiosk_client import KioskAnswer, KioskClient
from personhood.settings import Settings
from tests.browser.camera import holding
from tests.e2e.shell import Shell, free_port
from tests.photographs import as_jpeg, person_of_six

pytestmark = pytest.mark.slow

TOKEN = "metrics-token-of-this-test"
OPERATOR = "Wilhelmina"
PASSWORD = "four quiet green doors"
WALLET_PASSWORD = "correct horse battery staple"

YAWS = {"front": 0, "left": 41, "right": -41}

Turn = dict[str, Image.Image]


@dataclass
class Run:
    """What was sent, what came of it, and where it was."""

    shell: Shell
    temporary: Path
    sent: list[bytes] = field(default_factory=list)
    wallets: list[Identity] = field(default_factory=list)
    answers: list[KioskAnswer] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    metrics: dict[str, str] = field(default_factory=dict)
    claimed: str = ""

    @property
    def logs(self) -> dict[str, str]:
        return {path.stem: path.read_text() for path in self.shell.home.parent.glob("*.log")}

    @property
    def files(self) -> list[Path]:
        return [path for path in self.shell.home.parent.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    attester, temporary = free_port(), folder / "tmp"
    temporary.mkdir()
    shell = Shell(
        folder / "home",
        TMPDIR=str(temporary),
        PERSONHOOD_METRICS_TOKEN=TOKEN,
        PERSONHOOD_WALLET_PASSWORD=WALLET_PASSWORD,
        PERSONHOOD_QUORUM="1",
        PERSONHOOD_ATTESTER_URLS=f"http://127.0.0.1:{attester}",
        PERSONHOOD_PUBLISH_AGE="0",
        PERSONHOOD_RELAYER_AGE="0",
    )
    run = Run(shell, temporary)
    try:
        _live(run, attester)
    finally:
        shell.stop_all()
    return run


def _live(run: Run, attester: int) -> None:
    shell, relayer, monitor = run.shell, free_port(), free_port()
    shell.environment["PERSONHOOD_ATTESTERS"] = shell.run("attester", "address").strip()
    shell.start("chain", port=shell.chain_port)
    shell.run("deploy")
    shell.start("serve", port=shell.service_port)
    service = f"http://localhost:{shell.service_port}"
    shell.start("attester", "run", port=attester)
    shell.leave_running("publish", "--watch", "--every", "0.2")
    shell.start("relayer", "run", port=relayer)
    shell.start("monitor", port=monitor)
    with httpx.Client(base_url=service, headers={"origin": service}, timeout=60) as browser:
        _sign_up(run, browser)
        _visit(run, service, _invite(run, browser))
        _until_published(run)
        run.claimed = shell.run("wallet", "claim", "--relayer", f"http://127.0.0.1:{relayer}")
        _look_around(run, browser)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for name, port in (("serve", shell.service_port), ("relayer", relayer), ("monitor", monitor)):
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=bearer)
        assert answer.status_code == 200
        run.metrics[name] = answer.text


def _sign_up(run: Run, browser: httpx.Client) -> None:
    told = run.shell.run("operator", "add", OPERATOR, "--role", "admin")
    code = _found(r"\b(?:[2-9A-Z]{4}-){3}[2-9A-Z]{4}\b", told)
    page = browser.post("/console/join", data={"code": code}).text
    secret = _found(r"<code>([A-Z2-7]{16,})</code>", page)
    form = {"code": code, "password": PASSWORD, "six_digits": pyotp.TOTP(secret).now()}
    assert browser.post("/console/join/password", data=form).status_code == 303
    run.secrets += [code, secret, PASSWORD, *browser.cookies.values()]


def _invite(run: Run, browser: httpx.Client) -> str:
    page = browser.get("/console/kiosks/invite").text
    form = {"form_token": _form_token(page), "name": "hall"}
    code = _found(
        r"\b(?:[2-9A-Z]{4}-){3}[2-9A-Z]{4}\b",
        browser.post("/console/kiosks/invite", data=form).text,
    )
    run.secrets += [code, form["form_token"]]
    return code


def _visit(run: Run, service: str, code: str) -> None:
    """Somebody enrols and lets pictures be kept, and comes again; then the turn comes flipped."""
    run.shell.run("wallet", "new")
    owner = load_identity(run.shell.home / "wallet.json", WALLET_PASSWORD)
    woman = {pose: holding(person_of_six(1), yaw) for pose, yaw in YAWS.items()}
    sides = {"left": "right", "right": "left"}
    flipped = {pose: ImageOps.mirror(woman[sides.get(pose, pose)]) for pose in woman}
    with KioskClient(service) as kiosk:
        device = kiosk.register(code)
        run.secrets.append(device.key.private_bytes_raw().hex())

        def send(turn: Turn, wallet: Identity, noise: int) -> None:
            begun = kiosk.begin()
            frames = [_seen(turn[pose], noise + n) for n, pose in enumerate(begun.poses)]
            consents = ("review", "enrolled")
            run.sent += frames
            run.wallets.append(wallet)
            prepared = kiosk.prepare(begun, wallet, *frames, consents=consents)
            run.secrets += [begun.challenge, json.loads(prepared.body)["statement"]]
            run.answers.append(kiosk.send(prepared))

        send(woman, owner, 1)
        send(woman, Identity.generate(), 20)
        send(flipped, Identity.generate(), 30)


def _seen(image: Image.Image, seed: int) -> bytes:
    """As a camera sees it: no two frames are the same."""
    noisy = np.random.default_rng(seed).normal(np.asarray(image, np.float32), 2.0)
    return as_jpeg(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))


def _until_published(run: Run) -> None:
    deadline = time.monotonic() + 60
    while "update_sent" not in run.logs["publish"]:
        assert time.monotonic() < deadline, run.logs["publish"]
        time.sleep(0.1)
    while "nothing is pending" not in run.shell.run("publish", "--status"):
        assert time.monotonic() < deadline, run.logs["publish"]


def _look_around(run: Run, browser: httpx.Client) -> None:
    for page in ("", "kiosks", "reviews", "chain", "operators", "activity", "receipts"):
        assert browser.get(f"/console/{page}").status_code == 200
    for form in ("html", "pdf"):
        assert browser.get(f"/console/report/download?form={form}").status_code == 200
    token = _form_token(browser.get("/console/receipts").text)
    forged = "eyJhbGciOiJFZERTQSJ9.forged-receipt-of-this-test.AAAA"
    browser.post("/console/receipts", data={"form_token": token, "receipt": forged})
    run.secrets.append(forged)


def _form_token(page: str) -> str:
    return _found(r'name="form_token" value="([^"]+)"', page)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[match.re.groups]


def every_process_had_something_to_tell(run: Run) -> None:
    first, again, flipped = run.answers
    assert (first.outcome, again.outcome, flipped.outcome) == ("accepted", "refused", "refused")
    assert again.code == "frame_reused"
    assert "100" in run.claimed
    for name, event in (
        ("serve", "request"),
        ("attester", "attested"),
        ("publish", "update_sent"),
        ("relayer", "batch_sent"),
    ):
        assert f'"event": "{event}"' in run.logs[name], name
    assert 'personhood_enrollments_total{kiosk="hall",outcome="accepted"' in run.metrics["serve"]
    assert "personhood_root_members 1.0" in run.metrics["monitor"]
    assert "personhood_relayer_queued 0.0" in run.metrics["relayer"]


def every_line_of_every_log_is_json(run: Run) -> None:
    for name, log in run.logs.items():
        if name != "chain":
            assert all(isinstance(json.loads(line), dict) for line in log.splitlines()), name


def forbidden(run: Run) -> Iterator[str]:
    """Everything that must not be told, in the forms in which it could be."""
    for wallet in run.wallets:
        raw = wallet.commitment.to_bytes(32)
        yield from (str(wallet.commitment), f"{wallet.commitment:x}", _base64(raw)[:40])
        yield from (wallet.export(), base64.b64decode(wallet.export()).hex())
    for photograph in run.sent:
        middle = photograph[1200:1224]  # a multiple of three from its beginning
        yield from (middle.hex(), _base64(middle))
    for path in run.shell.home.rglob("*.key"):
        content = path.read_bytes()
        yield from (content.hex(), _base64(content), content.decode(errors="replace").strip())
    yield from run.secrets
    yield from (TOKEN, WALLET_PASSWORD, OPERATOR)
    yield from ("similarity", "cosine", "personhood-enrol:", 'template"', "forged-receipt")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def no_log_and_no_metric_tells_a_commitment_a_picture_or_a_secret(run: Run) -> None:
    secrets = set(forbidden(run))
    assert len(secrets) > 60
    assert min(map(len, secrets)) >= 6
    for name, told in (*run.logs.items(), *run.metrics.items()):
        assert not [secret for secret in secrets if secret in told], name


@pytest.fixture(scope="module")
def vectors(run: Run) -> list[np.ndarray]:
    """What the service made of each frame, as near as it can be made again."""
    settings = Settings()
    examiner = Examiner(open_models(load_packs(settings.model_pack, settings.models_dir())))
    found = []
    for frame in run.sent:
        with suppress(FaceRejected):  # a turned head is no plain photograph
            found.append(examiner.examine([frame], [Pose.FRONT]).templates[0].vector)
    return found


def no_log_and_no_metric_tells_a_score(run: Run, vectors: list[np.ndarray]) -> None:
    scores = {f"{float(a @ b):.4f}" for n, a in enumerate(vectors) for b in vectors[:n]}
    told = "\n".join((*run.logs.values(), *run.metrics.values()))
    figures = "\n".join(line for line in told.splitlines() if "_seconds" not in line)
    assert len(scores) > 5
    assert not scores & {match[:6] for match in re.findall(r"(?<!\d)0\.\d{4,}", figures)}


PICTURES = (  # how files of pictures begin; long enough never to come up by chance
    rb"\xff\xd8\xff\xe0\x00\x10JFIF",
    rb"\xff\xd8\xff\xe1..Exif",
    rb"\xff\xd8\xff\xdb\x00\x43\x00",
    rb"\x89PNG\r\n\x1a\n",
    rb"RIFF....WEBP",
)


def no_file_has_a_picture_of_anybody(run: Run) -> None:
    """Also not the ones that people let be kept: those are sealed."""
    assert _kept_pictures(run) > 0
    assert all(any(re.search(magic, frame) for magic in PICTURES) for frame in run.sent)
    pieces = [frame[at : at + 24] for frame in run.sent for at in (600, 1200, len(frame) // 2)]
    rows = [row for frame in run.sent for row in _rows(frame)]
    for path in run.files:
        content = path.read_bytes()
        for magic in PICTURES:
            assert not re.search(magic, content, re.DOTALL), (path, magic)
        for piece in (*pieces, *map(base64.b64encode, pieces), *rows):
            assert piece not in content, path


def _kept_pictures(run: Run) -> int:
    engine = create_engine(f"sqlite:///{run.shell.home}/personhood.db")
    with engine.connect() as connection:
        count = connection.scalar(text("select count(*) from kept_records"))
    engine.dispose()
    return int(count or 0)


def _rows(frame: bytes) -> list[bytes]:
    """Pieces of what a photograph is as pixels, in either order of the colours."""
    pixels = np.asarray(Image.open(io.BytesIO(frame)))
    middle = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2 :][:32]
    return [middle.tobytes(), middle[:, ::-1].tobytes(), middle.astype(np.float32).tobytes()]


def no_file_has_a_template(run: Run, vectors: list[np.ndarray]) -> None:
    pieces = [v[at : at + 2].tobytes() for v in vectors for at in range(0, len(v) - 2, 16)]
    for path in run.files:
        content = path.read_bytes()
        assert not [piece for piece in pieces if piece in content], path


def nothing_is_left_in_the_folder_of_temporary_files(run: Run) -> None:
    left = [path for path in run.temporary.rglob("*") if path.is_file()]
    assert not left


def test_nothing_is_told_and_nothing_is_left_behind(run: Run, vectors: list[np.ndarray]) -> None:
    """One test, since each worker that had one of several would begin with a run of its own."""
    every_process_had_something_to_tell(run)
    every_line_of_every_log_is_json(run)
    no_log_and_no_metric_tells_a_commitment_a_picture_or_a_secret(run)
    no_log_and_no_metric_tells_a_score(run, vectors)
    no_file_has_a_picture_of_anybody(run)
    no_file_has_a_template(run, vectors)
    nothing_is_left_in_the_folder_of_temporary_files(run)
