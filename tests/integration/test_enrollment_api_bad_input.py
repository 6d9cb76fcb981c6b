"""Bad input over HTTP: each gets its own code, and nothing is stored."""

import base64
import json
import struct
import time
import zlib
from dataclasses import replace

import pytest
from PIL import Image, ImageEnhance

from enrollment.gate import MAX_BODY, MAX_SMALL_BODY
from enrollment.signatures import sign
from identity_proofs.identity import Identity
from identity_proofs.statement import EnrollmentStatement, challenge_message
from personhood.kiosk_client import KioskClient
from tests.photographs import as_jpeg, as_png, astronaut, cat, coffee, six_people
from tests.service import Kiosk, running_kiosk, wallet

KEY = {"Idempotency-Key": "a-key"}


@pytest.fixture(autouse=True)
def nothing_stored(kiosk: Kiosk):
    yield
    assert kiosk.stored() == (0, 0)
    assert len(kiosk.gallery) == 0
    assert kiosk.service.accepted_commitments() == []


def assert_refused(answer, status, code):
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]


def bomb(pixels_a_side: int) -> bytes:
    """A PNG of a few bytes whose header announces a square image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", pixels_a_side, pixels_a_side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def dark() -> Image.Image:
    return ImageEnhance.Brightness(astronaut()).enhance(0.12)


def tiny() -> Image.Image:
    return astronaut().resize((128, 128), Image.Resampling.LANCZOS)


def two_people() -> Image.Image:
    return six_people().crop((400, 200, 860, 500))


PHOTOGRAPHS = {
    "zero bytes": (lambda: b"", 422, "image_empty"),
    "text": (lambda: b"this is not an image", 422, "image_unsupported"),
    "gif": (lambda: b"GIF89a" + bytes(100), 422, "image_unsupported"),
    "truncated jpeg": (lambda: as_jpeg(astronaut())[:-20_000], 422, "image_truncated"),
    "truncated png": (lambda: as_png(astronaut())[:50_000], 422, "image_truncated"),
    "header only": (lambda: b"\xff\xd8\xff\xe0" + bytes(8), 422, "image_truncated"),
    "100 megapixels": (lambda: bomb(10_000), 422, "image_too_many_pixels"),
    "400 megapixels": (lambda: bomb(20_000), 422, "image_too_many_pixels"),
    "8 MiB and a byte": (lambda: bytes(8 * 2**20 + 1), 413, "image_too_large"),
    "a cup": (lambda: as_jpeg(coffee()), 422, "no_face"),
    "a cat": (lambda: as_jpeg(cat()), 422, "no_face"),
    "one pixel": (lambda: as_png(Image.new("RGB", (1, 1))), 422, "no_face"),
    "one row": (lambda: as_png(Image.new("RGB", (5000, 1))), 422, "no_face"),
    "two faces": (lambda: as_jpeg(two_people()), 422, "multiple_faces"),
    "six faces": (lambda: as_jpeg(six_people()), 422, "multiple_faces"),
    "tiny face": (lambda: as_jpeg(tiny()), 422, "face_too_small"),
    "dark face": (lambda: as_jpeg(dark()), 422, "face_too_dark"),
}


@pytest.mark.parametrize(("photograph", "status", "code"), PHOTOGRAPHS.values(), ids=PHOTOGRAPHS)
def test_a_bad_photograph(kiosk, photograph, status, code):
    assert_refused(kiosk.enroll(7, photograph()), status, code)


def statement_of(session: dict[str, str], identity: Identity) -> str:
    return EnrollmentStatement.sign(identity, session["challenge"]).to_text()


STATEMENTS = {
    "of another challenge": lambda _: statement_of({"challenge": "another"}, wallet(7)),
    "cut off": lambda session: statement_of(session, wallet(7))[:-9],
    "a bare commitment": lambda _: str(wallet(7).commitment),
    "empty": lambda _: "",
    "another's signature": lambda session: EnrollmentStatement(
        wallet(7).public_key, wallet(8).sign(challenge_message(session["challenge"]))
    ).to_text(),
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_a_wallet_that_does_not_prove_its_commitment(kiosk, statement):
    session = kiosk.post("/v1/sessions", b"{}").json()
    content = {
        "session_id": session["session_id"],
        "statement": statement(session),
        "frames": [base64.b64encode(as_jpeg(astronaut())).decode()],
    }
    answer = kiosk.post("/v1/enrollments", json.dumps(content).encode(), KEY)
    assert_refused(answer, 422, "statement_invalid")


BODIES = {
    "not json": b"{",
    "empty": b"",
    "not an object": b"[]",
    "no frames": b'{"session_id": "s", "statement": "x"}',
    "frames of no number": b'{"session_id": "s", "statement": "x", "frames": []}',
    "six frames": b'{"session_id": "s", "statement": "x", "frames": ["", "", "", "", "", ""]}',
    "a number": b'{"session_id": 7, "statement": "x", "frames": [""]}',
    "more fields": b'{"session_id": "s", "statement": "x", "frames": [""], "name": "x"}',
    "not utf-8": b'{"session_id": "\xff", "statement": "x", "frames": [""]}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_bad_body(kiosk, body):
    assert_refused(kiosk.post("/v1/enrollments", body, KEY), 400, "malformed_request")


def test_frames_that_are_not_base64(kiosk):
    prepared = kiosk.prepare(7, b"frame")
    body = prepared.body.replace(base64.b64encode(b"frame"), b"%%%")
    assert_refused(kiosk.send(replace(prepared, body=body)), 400, "malformed_request")


def test_more_frames_than_poses(kiosk):
    photo = as_jpeg(astronaut())
    assert_refused(kiosk.enroll(7, photo, photo), 400, "malformed_request")


def test_a_session_that_is_not_there(kiosk):
    body = b'{"session_id": "s", "statement": "x", "frames": [""]}'
    assert_refused(kiosk.post("/v1/enrollments", body, KEY), 404, "session_unknown")


@pytest.mark.parametrize("media_type", ["image/jpeg", "multipart/form-data; boundary=x", ""])
def test_another_content_type(kiosk, media_type):
    answer = kiosk.post("/v1/enrollments", b"{}", KEY | {"Content-Type": media_type})
    assert_refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(("path", "limit"), [("/v1/sessions", MAX_SMALL_BODY)])
def test_a_body_beyond_the_limit(kiosk, path, limit):
    assert_refused(kiosk.post(path, b" " * (limit + 1)), 413, "request_too_large")


def test_an_unsigned_body_is_not_even_read(kiosk):
    chunks = (bytes(2**20) for _ in range(2 * MAX_BODY // 2**20))
    headers = KEY | {"Content-Type": "application/json"}
    answer = kiosk.client.post("/v1/enrollments", content=chunks, headers=headers)
    assert_refused(answer, 401, "signature_missing")
    assert answer.headers["www-authenticate"].startswith("Signature")


def test_another_body_than_the_signed_one(kiosk):
    device, url = kiosk.device, str(kiosk.client.base_url.join("/v1/sessions"))
    headers = {"Content-Type": "application/json"}
    signed = sign("POST", url, b"{}", kiosk_id=device.kiosk_id, key=device.key, headers=headers)
    answer = kiosk.client.post("/v1/sessions", content=b'{"a": 1}', headers=signed)
    assert_refused(answer, 401, "signature_invalid")


def test_a_signed_request_sent_twice(kiosk):
    device, url = kiosk.device, str(kiosk.client.base_url.join("/v1/sessions"))
    headers = {"Content-Type": "application/json"}
    signed = sign("POST", url, b"{}", kiosk_id=device.kiosk_id, key=device.key, headers=headers)
    assert kiosk.client.post("/v1/sessions", content=b"{}", headers=signed).status_code == 201
    again = kiosk.client.post("/v1/sessions", content=b"{}", headers=signed)
    assert_refused(again, 401, "request_replayed")


def test_a_kiosk_whose_clock_is_wrong(kiosk):
    device, url = kiosk.device, str(kiosk.client.base_url.join("/v1/sessions"))
    signed = sign(
        "POST",
        url,
        b"{}",
        kiosk_id=device.kiosk_id,
        key=device.key,
        headers={"Content-Type": "application/json"},
        created=time.time() + 3600,
    )
    answer = kiosk.client.post("/v1/sessions", content=b"{}", headers=signed)
    assert_refused(answer, 401, "clock_skewed")
    assert "ahead" in answer.json()["detail"]


def test_a_revoked_kiosk_is_refused_at_once(kiosk):
    prepared = kiosk.prepare(7, as_jpeg(astronaut()))
    (registered,) = kiosk.kiosks.all()
    kiosk.kiosks.revoke(registered.name)
    assert_refused(kiosk.send(prepared), 403, "kiosk_revoked")


def test_another_kiosks_session(kiosk):
    prepared = kiosk.prepare(7, as_jpeg(astronaut()))
    with KioskClient(str(kiosk.client.base_url)) as other:
        stranger = replace(kiosk, device=other.register(kiosk.kiosks.invite("other")))
    assert_refused(stranger.send(prepared), 404, "session_unknown")


@pytest.mark.parametrize("code", ["", "AAAA-AAAA-AAAA-AAAA", "x" * 40])
def test_an_invented_invitation(kiosk, code):
    body = {"code": code, "public_key": base64.urlsafe_b64encode(bytes(range(32))).decode()}
    assert_refused(kiosk.client.post("/v1/kiosks", json=body), 403, "invitation_invalid")


def test_a_kiosk_that_asks_too_often(tmp_path_factory, opencv_pack, face_engine):
    directory = tmp_path_factory.mktemp("busy")
    with running_kiosk(
        directory, opencv_pack.manifest, face_engine, requests_per_minute=2
    ) as kiosk:
        answers = [kiosk.post("/v1/sessions", b"{}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert_refused(answers[2], 429, "too_many_requests")
    assert answers[2].headers["retry-after"]


@pytest.mark.parametrize("key", ["", "x" * 201, "with space"])
def test_a_bad_idempotency_key(kiosk, key):
    assert_refused(kiosk.enroll(7, as_jpeg(astronaut()), key=key), 400, "malformed_request")


def test_an_unknown_path_and_method(kiosk):
    assert_refused(kiosk.client.get("/nowhere"), 404, "not_found")
    assert_refused(kiosk.client.get("/v1/enrollments"), 405, "method_not_allowed")


def test_a_fault_is_internal_and_says_nothing_of_the_person_or_the_cause(kiosk, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret cause")

    monkeypatch.setattr(kiosk.service._examiner, "examine", fail)
    answer = kiosk.enroll(7, as_jpeg(astronaut()))
    assert_refused(answer, 500, "internal")
    assert "secret" not in answer.text
