"""A kiosk's client tells a service that is not there, or is another, from a refusal."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity_proofs.identity import Identity
from personhood.errors import KeyUnusable, KioskNotRegistered, ServiceUnreachable
from personhood.kiosk_client import Device, KioskClient

DEVICE = Device("k", Ed25519PrivateKey.generate())


@pytest.fixture
def foreign_service() -> Iterator[str]:
    """A web server that is not the enrolment service."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_nobody_answers() -> None:
    with KioskClient("http://127.0.0.1:9", DEVICE) as kiosk:
        assert not kiosk.is_ready()
        with pytest.raises(ServiceUnreachable, match="send the same again"):
            kiosk.enroll(b"photo", Identity.generate())


def test_somebody_else_answers(foreign_service: str) -> None:
    with KioskClient(foreign_service, DEVICE) as kiosk:
        assert not kiosk.is_ready()
        with pytest.raises(ServiceUnreachable, match="not the enrolment service"):
            kiosk.enroll(b"photo", Identity.generate())


def test_a_device_is_kept_for_its_user_alone_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "device.json"
    DEVICE.write(file)
    assert file.stat().st_mode & 0o777 == 0o600
    kept = Device.read(file)
    assert (kept.kiosk_id, kept.key.private_bytes_raw()) == ("k", DEVICE.key.private_bytes_raw())
    with pytest.raises(KeyUnusable):
        DEVICE.write(file)


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"kiosk_id": "k", "private_key": "z"}'])
def test_a_device_that_is_not_registered_is_told_what_to_do(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "device.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(KioskNotRegistered, match="kiosk invite"):
        Device.read(file)
    with KioskClient("http://127.0.0.1:9") as kiosk, pytest.raises(KioskNotRegistered):
        kiosk.begin()
