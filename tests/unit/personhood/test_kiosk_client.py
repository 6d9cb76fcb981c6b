"""A kiosk's client tells a service that is not there, or is another, from a refusal."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from personhood.errors import ServiceUnreachable
from personhood.kiosk_client import KioskClient


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
    with KioskClient("http://127.0.0.1:9", "t" * 32) as kiosk:
        assert not kiosk.is_ready()
        with pytest.raises(ServiceUnreachable, match="send the same again"):
            kiosk.enroll(b"photo", 1)


def test_somebody_else_answers(foreign_service: str) -> None:
    with KioskClient(foreign_service, "t" * 32) as kiosk:
        assert not kiosk.is_ready()
        with pytest.raises(ServiceUnreachable, match="not the enrolment service"):
            kiosk.enroll(b"photo", 1)
