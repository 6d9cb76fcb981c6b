"""What Prometheus reads, and who may."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine

from enrollment.kiosks import KioskRegistry
from enrollment.requests import RequestEnd
from personhood.telemetry.metrics import CATALOG, Figure, Telemetry, metrics_app
from personhood.telemetry.service import kiosk_figures, observe
from tests.service import served
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.database import prepare

TOKEN = "a token of sixteen characters"
ENROLL = "/v1/enrollments"


def ended(outcome: str | None = "accepted", **other: object) -> RequestEnd:
    values = {"method": "POST", "route": ENROLL, "status": 201, "code": None, "seconds": 0.3}
    values |= {"outcome": outcome, "kiosk": "hall"}
    return RequestEnd(**(values | other))


def told(telemetry: Telemetry) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample, by name and values of labels."""
    families = text_string_to_metric_families(telemetry.exposition().decode())
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_enrolments_are_counted_by_kiosk_outcome_and_reason() -> None:
    telemetry = Telemetry(lambda: ())
    for end in (
        ended(),
        ended(),
        ended("duplicate", status=200),
        ended(None, status=422, code="no_face"),
        ended(None, status=503, code="gallery_unavailable"),
        ended(None, status=401, code="signature_invalid", kiosk=None),
    ):
        observe(telemetry, end)
    samples = told(telemetry)
    name = "personhood_enrollments_total"
    assert samples[name, ("hall", "accepted", "")] == 2
    assert samples[name, ("hall", "duplicate", "")] == 1
    assert samples[name, ("hall", "refused", "no_face")] == 1
    assert samples[name, ("hall", "failed", "gallery_unavailable")] == 1
    assert samples["personhood_decision_seconds_count", ()] == 5
    assert samples["personhood_requests_total", (ENROLL, "401")] == 1


def test_a_path_that_nobody_takes_makes_no_label() -> None:
    telemetry = Telemetry(lambda: ())
    observe(telemetry, ended(None, route=None, status=404, kiosk=None))
    assert ("personhood_requests_total", ("none", "404")) in told(telemetry)


def test_figures_are_read_each_time() -> None:
    people = iter([3, 4])

    def figures() -> Iterator[Figure]:
        yield Figure("personhood_people", next(people))
        yield Figure("personhood_saturations_total", 2)
        yield Figure("personhood_concern", 1, {"code": "reviews_old"})

    telemetry = Telemetry(figures)
    assert told(telemetry)["personhood_people", ()] == 3
    samples = told(telemetry)
    assert samples["personhood_people", ()] == 4
    assert samples["personhood_saturations_total", ()] == 2
    assert samples["personhood_concern", ("reviews_old",)] == 1


def test_kiosks_are_told_with_a_pseudonym_of_who_invited_them(tmp_path: Path) -> None:
    engine = prepare(create_engine(f"sqlite:///{tmp_path / 'kiosks.db'}"))
    kiosks, journal = KioskRegistry(engine), Journal(DecisionLog(engine), b"l" * 32)
    for name, by in (("hall", "ada"), ("yard", "ada"), ("gate", ""), ("gone", "ben")):
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        kiosks.register(kiosks.invite(name, by=by), key)
    kiosks.revoke("gone")
    hall = next(kiosk for kiosk in kiosks.all() if kiosk.name == "hall")
    kiosks.remember(hall, "a nonce", 2_000_000_000)
    samples = told(Telemetry(lambda: kiosk_figures(kiosks, journal)))
    engine.dispose()
    ada = journal.operator_pseudonym("ada")
    info = {labels: count for (name, labels), count in samples.items() if name.endswith("_info")}
    assert info == {("hall", ada): 1, ("yard", ada): 1, ("gate", ""): 1}
    seen = {labels: at for (name, labels), at in samples.items() if "last_seen" in name}
    assert seen.keys() == {("hall",)}
    assert seen["hall",] > 1.7e9
    assert ada not in {"ada", journal.operator_pseudonym("ben"), journal.pseudonym("ada")}


def test_many_threads_lose_no_count() -> None:
    telemetry = Telemetry(lambda: ())
    threads = [
        threading.Thread(target=lambda: [observe(telemetry, ended()) for _ in range(200)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(telemetry)["personhood_enrollments_total", ("hall", "accepted", "")] == 1600


def test_two_of_them_share_nothing() -> None:
    first, second = Telemetry(lambda: ()), Telemetry(lambda: ())
    observe(first, ended())
    assert ("personhood_enrollments_total", ("hall", "accepted", "")) not in told(second)


def test_whoever_has_no_token_learns_nothing() -> None:
    with (
        served(metrics_app(Telemetry(lambda: ()), TOKEN)) as url,
        httpx.Client(base_url=url) as client,
    ):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            refused = client.get("/metrics", headers=headers)
            assert refused.status_code == 401
            assert "personhood_" not in refused.text.replace("personhood-metrics", "")
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# HELP personhood_decision_seconds" in answer.text


@pytest.mark.parametrize("name", CATALOG)
def test_names_follow_the_conventions(name: str) -> None:
    about = CATALOG[name]
    assert name.endswith("_total") == (about.kind == "counter")
    assert set(about.labels) <= {
        *("kiosk", "operator", "outcome", "reason", "route", "status", "code")
    }
