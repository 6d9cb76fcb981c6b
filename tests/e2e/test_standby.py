"""Several services on one database: one decides, a standby takes its place; and TLS."""

import ssl
import time
from pathlib import Path

import httpx
import pytest

from identity_proofs.identity import Identity
from personhood.demo.people import read_default_people
from personhood.settings import Settings
from personhood.tls import tls_files
from tests.e2e.test_service_survives import Service, running

pytestmark = pytest.mark.slow


def ask(service: Service, path: str = "/v1/health") -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{service.port}{path}")
    except httpx.TransportError:
        return None


def wait_for_status(service: Service, wanted: str) -> None:
    deadline = time.monotonic() + 90
    while (answer := ask(service)) is None or answer.json()["status"] != wanted:
        assert service.process.poll() is None, service.process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.5)  # each is a line in its log, which nobody reads meanwhile


def test_a_standby_takes_over_from_a_killed_service(tmp_path: Path) -> None:
    people = list(read_default_people())
    with running(tmp_path) as first:
        second = Service(tmp_path, "--standby")
        try:
            wait_for_status(second, "standby")
            refused = ask(second, "/v1/keys")
            assert refused is not None
            assert (refused.status_code, refused.json()["code"]) == (503, "service_standby")
            assert "retry-after" in refused.headers
            with first.kiosk() as kiosk:
                assert (
                    kiosk.enroll(people[0].photographs[0], Identity.generate()).outcome
                    == "accepted"
                )
            third = Service(tmp_path)
            assert b"[gallery_owned]" in third.process.communicate(timeout=60)[1]
            assert third.process.returncode == 1

            first.process.kill()
            first.process.wait()
            wait_for_status(second, "ok")
            second.device = first.device
            with second.kiosk() as kiosk:
                again = kiosk.enroll(people[0].photographs[1], Identity.generate())
                assert again.outcome == "duplicate"
                assert (
                    kiosk.enroll(people[1].photographs[0], Identity.generate()).outcome
                    == "accepted"
                )
        finally:
            second.kill()


def test_a_standby_that_is_stopped_never_decided(tmp_path: Path) -> None:
    with running(tmp_path):
        second = Service(tmp_path, "--standby")
        wait_for_status(second, "standby")
        second.process.terminate()
        second.process.communicate(timeout=60)
        assert second.process.returncode in (0, -15)


def test_it_speaks_tls_with_a_certificate_made_here(tmp_path: Path) -> None:
    service = Service(tmp_path, "--tls")
    try:
        deadline = time.monotonic() + 90
        files = tmp_path / "tls-certificate.pem"
        while True:
            assert service.process.poll() is None
            assert time.monotonic() < deadline
            try:
                context = ssl.create_default_context(cafile=files)
                answer = httpx.get(f"https://127.0.0.1:{service.port}/v1/health", verify=context)
                break
            except (httpx.TransportError, OSError):
                time.sleep(0.05)
        assert answer.json()["status"] == "ok"
    finally:
        service.process.terminate()
        told = service.process.communicate()[1].decode()
    assert tls_files(Settings(home=tmp_path), "127.0.0.1").fingerprint in told
