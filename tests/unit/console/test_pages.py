"""What the pages show, and of whom."""

import dataclasses
import itertools
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.activity import Action
from console.chain import ChainStatus
from console.chart import NARROW, WIDTH, Chart
from console.figures import HOURS, KINDS, Hour, OverviewReader, read_decisions
from console.operators import Role
from console.recent import read_recent
from enrollment.errors import FrameMirrored
from enrollment.kiosks import Kiosk
from enrollment.rows import EnrollmentRequest, EnrollmentStatus
from tests.console import Clock, Console, open_console
from tests.unit.console.conftest import NOW, Browser
from transparency.entry import Kind


def text_of(html: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_overview_counts_what_was_decided(browser: Browser, clock: Clock) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    console = browser.console
    console.decide(0, 1, 2, 0)
    console.operations.gallery.record_rejection("face_blurred")
    clock.now = _now()
    browser.client.cookies.clear()
    browser.sign_in("ben", Role.AUDITOR)
    page = text_of(browser.client.get("/console/").text)
    assert "People enrolled 3" in page
    assert "Decided in 24 hours 5 3 accepted, 1 duplicate" in page
    assert "face blurred 1" in page
    assert "All is well" in page


def _now() -> int:
    """When decisions that a test makes are made."""
    return int(time.time())


def test_decisions_older_than_a_day_are_not_counted(console: Console, clock: Clock) -> None:
    console.decide(0, 1)
    clock.now = _now()
    assert read_decisions(console.engine, clock).all == 2
    clock.forward((HOURS + 1) * 3600)
    decisions = read_decisions(console.engine, clock)
    assert decisions.all == 0
    assert len(decisions.hours) == HOURS


def test_a_closed_gallery_and_a_full_service_are_alarms(console: Console, clock: Clock) -> None:
    operations = console.operations
    reader = OverviewReader(operations, clock)
    assert reader.read().alarms == ()
    operations.gallery.close()
    with ExitStack() as people:
        for _ in range(operations.turnstile.places - 10):
            people.enter_context(operations.turnstile.enter())
        titles = [alarm.title for alarm in reader.read().alarms]
    assert titles == ["The gallery is closed", "The service is nearly full"]


@pytest.mark.parametrize(("people", "title"), [(80, "Near the"), (101, "Beyond the")])
def test_the_safe_population_is_an_alarm_before_it_is_passed(
    console: Console, clock: Clock, people: int, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = dataclasses.replace(
        console.operations.gallery.status(), people=people, safe_population=100
    )
    monkeypatch.setattr(console.operations.gallery, "status", lambda: status)
    (alarm,) = OverviewReader(console.operations, clock).read().alarms
    assert alarm.title == f"{title} safe population"


def test_a_chart_stacks_what_the_hours_hold() -> None:
    hours = [Hour(480_000 + n, dict.fromkeys(KINDS, 0)) for n in range(24)]
    assert Chart.of(hours).bars == ()
    for last, width in itertools.product(range(24), (WIDTH, NARROW)):  # no hour is cut off
        day = [dataclasses.replace(hour, hour=hour.hour + last) for hour in hours]
        assert all(mark.position <= width - 17 for mark in Chart.of(day, width).hours)
    hours[3].counts["unique"], hours[3].counts["rejected"] = 6, 3
    lower, upper = Chart.of(hours).bars
    assert (lower.kind, upper.kind) == ("unique", "rejected")
    assert lower.height == pytest.approx(2 * upper.height)
    assert lower.y == pytest.approx(upper.y + upper.height)
    assert lower.x == upper.x


@pytest.fixture
def make_kiosk(console: Console) -> Callable[..., Kiosk]:
    def make(name: str, by: str = "") -> Kiosk:
        kiosks = console.operations.kiosks
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        return kiosks.register(kiosks.invite(name, by=by), key)

    return make


def test_a_kiosk_has_its_outcomes_and_stands_out(
    browser: Browser, make_kiosk: Callable[..., Kiosk]
) -> None:
    console = browser.console
    operations, journal = console.operations, console.operations.journal
    library, station = make_kiosk("Library"), make_kiosk("Station")
    for kiosk, kind, count in (
        (library, Kind.UNIQUE, 30),
        (library, Kind.DUPLICATE, 20),
        (station, Kind.UNIQUE, 60),
        (station, Kind.REJECTED, 2),
    ):
        for _ in range(count):
            journal.record_alone(kind, kiosk=journal.pseudonym(kiosk.id))
    journal.record_alone(Kind.REJECTED, kiosk="0" * 16)  # of a kiosk that nobody knows
    recent = read_recent(operations, _now())
    assert recent.count(library, "duplicate") == 20
    assert recent.count(station, "rejected") == 2
    (burst,) = recent.bursts
    assert (burst.place, burst.what, burst.share) == ("Library", "duplicates", 0.4)
    assert read_recent(operations, _now() + 26 * 3600).counts == {}
    console.clock.now = _now()
    browser.sign_in("ada", Role.AUDITOR)
    assert "Many duplicates at Library 40% of the" in text_of(browser.client.get("/console/").text)
    assert "Library command line registered never 0 30 20 0" in text_of(
        browser.client.get("/console/kiosks").text
    )


def test_an_operators_kiosks_stand_out_together(
    browser: Browser, make_kiosk: Callable[..., Kiosk]
) -> None:
    console = browser.console
    operations, journal = console.operations, console.operations.journal
    for name, by, mirrored in (("A", "ben", 6), ("B", "ben", 6), ("C", "eve", 0), ("D", "", 0)):
        kiosk = journal.pseudonym(make_kiosk(name, by).id)
        for number in range(60):
            kind = Kind.REJECTED if number < mirrored else Kind.UNIQUE
            reason = FrameMirrored.code if number < mirrored else None
            journal.record_alone(kind, reason=reason, kiosk=kiosk)
    recent = read_recent(operations, _now())
    assert recent.by_operator == {
        "": {"unique": 60},
        "ben": {"unique": 108, "rejected": 12},
        "eve": {"unique": 60},
    }
    assert {(burst.place, burst.what) for burst in recent.bursts} == {
        ("kiosks of ben", "rejections"),
        ("kiosks of ben", "mirrored captures"),
    }
    console.clock.now = _now()
    browser.sign_in("ada", Role.AUDITOR)
    page = text_of(browser.client.get("/console/kiosks").text)
    assert f"ben {journal.operator_pseudonym('ben')} 108 0 12" in page
    assert "command line command line 60 0 0" in page
    assert "Many mirrored captures at kiosks of ben" in text_of(
        browser.client.get("/console/").text
    )


def test_who_invites_a_kiosk_answers_for_it(browser: Browser) -> None:
    browser.sign_in("ada", Role.ADMIN)
    page = browser.send("/console/kiosks/invite", name="Library").text
    code = re.search(r"\b(?:[2-9A-Z]{4}-){3}[2-9A-Z]{4}\b", page)
    assert code is not None
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    kiosk = browser.console.operations.kiosks.register(code[0], key)
    assert kiosk.invited_by == "ada"


def test_a_name_is_text_and_never_markup(
    browser: Browser, make_kiosk: Callable[..., Kiosk]
) -> None:
    make_kiosk("<script>alert(1)</script>")
    browser.sign_in("ada <b>", Role.ADMIN)
    for path in ("kiosks", "kiosks/revoke?name=%3Cscript%3Ealert(1)%3C/script%3E", "operators"):
        page = browser.client.get(f"/console/{path}").text
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert "ada &lt;b&gt;" in page


def test_a_receipt_tells_its_state_and_nobodys_data(browser: Browser) -> None:
    operations = browser.console.operations
    store, commitment = operations.enrollments, 0x1234567890ABCDEF1234567890ABCDEF
    pending = store.reserve(EnrollmentRequest("key", "0" * 64, commitment))
    enrollment = store.settle(pending, EnrollmentStatus.ACCEPTED, 1)
    receipt = operations.receipts.issue(enrollment, commitment)
    browser.sign_in("ada", Role.AUDITOR)
    page = browser.send("/console/receipts", receipt=f" {receipt[:40]}\n{receipt[40:]} ")
    assert "genuine" in page.text
    assert "State now accepted" in text_of(page.text)
    for hidden in (enrollment.id, str(commitment), f"{commitment:x}", receipt[:40]):
        assert hidden not in page.text
    forged = browser.send("/console/receipts", receipt=receipt[:-4] + "AAAA")
    assert forged.status_code == 422
    assert "not signed by this service" in forged.text
    trail = browser.console.staff.trail.read(2)
    assert [(e.action, e.subject) for e in trail] == [
        (Action.RECEIPT_CHECKED, "not genuine"),
        (Action.RECEIPT_CHECKED, "genuine"),
    ]


def test_a_report_is_for_auditors_and_has_four_forms(browser: Browser) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    for form in ("html", "pdf", "json", "csv"):
        answer = browser.client.get(f"/console/report/download?form={form}")
        assert answer.content == f"a report as {form}".encode()
        assert f".{form}" in answer.headers["content-disposition"]
    assert browser.client.get("/console/report/download?form=exe").status_code == 422
    other = Browser(browser.console)
    other.sign_in("carla", Role.ADJUDICATOR)
    assert other.client.get("/console/report/download?form=csv").status_code == 403


def test_without_a_chain_the_page_says_so(browser: Browser) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    assert "No chain configured" in browser.client.get("/console/chain").text


def test_a_silent_chain_is_told_with_what_was_known(tmp_path: Path) -> None:
    silent = ChainStatus("no chain answers", NOW, chain_id=5, root="0x12", members=3)
    with open_console(tmp_path, Clock(NOW), chain=lambda: silent) as console:
        browser = Browser(console)
        browser.sign_in("ada", Role.AUDITOR)
        page = text_of(browser.client.get("/console/chain").text)
        assert "no chain answers" in page
        assert "Members 3" in page


def test_the_activity_is_read_page_by_page(browser: Browser) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    trail = browser.console.staff.trail
    for number in range(60):
        trail.note("ben", Action.KIOSK_INVITED, f"kiosk {number}")
    newest = browser.client.get("/console/activity").text
    assert "kiosk 59<" in newest
    assert "kiosk 9<" not in newest
    older = re.search(r"/console/activity\?before=\d+", newest)
    assert older
    assert "kiosk 9<" in browser.client.get(older[0]).text
    assert browser.client.get("/console/activity?before=x").status_code == 422
