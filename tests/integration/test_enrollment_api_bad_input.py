"""Bad input over HTTP: each gets its own code, and nothing is stored."""

import struct
import zlib

import pytest
from PIL import Image, ImageEnhance

from enrollment.api import MAX_BODY
from identity_proofs.field import SCALAR_FIELD
from tests.photographs import as_jpeg, as_png, astronaut, cat, coffee, six_people
from tests.service import TOKEN, Kiosk

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


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
    assert_refused(kiosk.send("7", photograph()), status, code)


COMMITMENTS = {
    "zero": "0",
    "zero in hex": "0x0",
    "r": str(SCALAR_FIELD),
    "beyond r": hex(2**256 - 1),
    "a word": "abc",
    "empty": "",
    "negative": "-1",
    "a fraction": "1.5",
    "very long": "1" * 5000,
}


@pytest.mark.parametrize("commitment", COMMITMENTS.values(), ids=COMMITMENTS)
def test_a_bad_commitment(kiosk, commitment):
    assert_refused(kiosk.send(commitment, as_jpeg(astronaut())), 422, "commitment_invalid")


BODIES = {
    "not json": b"{",
    "empty": b"",
    "not an object": b"[]",
    "no capture": b'{"commitment": "7"}',
    "a number": b'{"commitment": 7, "capture": ""}',
    "not base64": b'{"commitment": "7", "capture": "%%%"}',
    "more fields": b'{"commitment": "7", "capture": "", "name": "x"}',
    "not utf-8": b'{"commitment": "\xff", "capture": ""}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_bad_body(kiosk, body):
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    answer = kiosk.client.post("/v1/enrollments", content=body, headers=headers)
    assert_refused(answer, 400, "malformed_request")


@pytest.mark.parametrize("media_type", ["image/jpeg", "multipart/form-data; boundary=x", ""])
def test_another_content_type(kiosk, media_type):
    headers = AUTHORIZED | {"Content-Type": media_type}
    answer = kiosk.client.post("/v1/enrollments", content=b"{}", headers=headers)
    assert_refused(answer, 415, "unsupported_media_type")


def test_a_body_beyond_the_limit_is_refused_without_its_length_being_told(kiosk):
    chunks = (bytes(2**20) for _ in range(2 * MAX_BODY // 2**20))
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    answer = kiosk.client.post("/v1/enrollments", content=chunks, headers=headers)
    assert "content-length" not in answer.request.headers
    assert_refused(answer, 413, "request_too_large")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
def test_an_unknown_kiosk(kiosk, header):
    answer = kiosk.client.post(
        "/v1/enrollments", json={"commitment": "7"}, headers={"Authorization": header}
    )
    assert_refused(answer, 401, "kiosk_unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["", "x" * 201, "with space"])
def test_a_bad_idempotency_key(kiosk, key):
    assert_refused(kiosk.send("7", as_jpeg(astronaut()), key=key), 400, "malformed_request")


def test_an_unknown_path_and_method(kiosk):
    assert_refused(kiosk.client.get("/nowhere"), 404, "not_found")
    assert_refused(kiosk.client.get("/v1/enrollments"), 405, "method_not_allowed")


def test_a_fault_is_internal_and_says_nothing_of_the_person_or_the_cause(kiosk, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret cause")

    monkeypatch.setattr(kiosk.service._detector, "detect", fail)
    answer = kiosk.send("7", as_jpeg(astronaut()))
    assert_refused(answer, 500, "internal")
    assert "secret" not in answer.text
