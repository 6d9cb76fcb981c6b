"""The console in a real browser: passkeys, roles, the keyboard alone, axe, a telephone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect
from structlog.testing import capture_logs

from console.activity import Action
from console.operators import Role
from console.sessions import CONFIRMED, IDLE
from enrollment.rows import EnrollmentStatus
from tests.browser.axe import serious_violations
from tests.browser.console_page import ConsolePage, opened_console
from tests.browser.console_screenshots import a_day
from tests.console import PASSWORD
from tests.desk import BOTH, ENROLLED

pytestmark = pytest.mark.slow

PLACES = (
    "",
    "reviews",
    "kiosks",
    "chain",
    "receipts",
    "report",
    "activity",
    "operators",
    "account",
)
FORMS = (
    "account",
    "kiosks/invite",
    "operators/add",
    "operators/change?name=ada",
    "confirm",
    "nothing",
)


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[ConsolePage]:
    with opened_console(browser, tmp_path) as desk:
        yield desk
    assert desk.complaints == []


def test_a_passkey_signs_up_and_in(desk: ConsolePage) -> None:
    desk.sign_up("ada", Role.ADMIN)
    desk.expect_heading("Overview")
    assert "#" not in desk.page.url
    desk.press("Sign out")
    desk.expect_page("sign-in")
    desk.open("kiosks")
    desk.expect_page("sign-in?next=/console/kiosks")
    desk.press("Use a passkey")
    desk.expect_page("kiosks")
    trail = [(entry.operator, entry.action) for entry in desk.console.staff.trail.read(10)]
    assert trail == [
        ("ada", Action.SIGNED_IN),
        ("ada", Action.SIGNED_OUT),
        ("ada", Action.SIGNED_UP),
    ]


def test_a_passkey_of_somebody_disabled_is_refused(desk: ConsolePage) -> None:
    desk.sign_up("ada", Role.AUDITOR)
    desk.console.staff.operators.disable("ada")
    desk.open("sign-in")
    desk.press("Use a passkey")
    expect(desk.page.get_by_role("alert")).to_have_text(
        "This passkey is not known here. Use another one."
    )


def test_a_second_passkey_needs_a_confirmation_that_is_fresh(desk: ConsolePage) -> None:
    desk.sign_up("ada", Role.AUDITOR)
    desk.open("account")
    desk.press("Add a passkey")  # the device has one of hers already
    expect(desk.page.get_by_role("alert")).to_have_text(
        "This device has a passkey for you already."
    )
    desk.console.clock.forward(CONFIRMED)
    desk.open("account")
    desk.page.get_by_role("link", name="Show that it is you").click()
    desk.press("Use a passkey")
    desk.expect_page("account")
    expect(desk.page.get_by_role("button", name="Add a passkey")).to_be_enabled()


def test_password_and_six_digits_sign_in(desk: ConsolePage) -> None:
    page = desk.page
    desk.open(f"join#{desk.console.invited('ben', Role.AUDITOR)}")
    desk.press("Continue")
    page.get_by_text("Choose a password instead").click()
    secret = page.locator(".hint code").inner_text()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The six digits").fill(desk.console.digits(secret))
    desk.press("Sign up")
    desk.expect_page("")
    desk.press("Sign out")
    desk.console.clock.forward(30)
    page.get_by_text("Use a password instead").click()
    page.get_by_label("Name").fill("ben")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Six digits").fill("12")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="wrong")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_value("")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Six digits").fill(desk.console.digits(secret))
    page.get_by_role("button", name="Sign in").click()
    desk.expect_page("")


def test_a_role_sees_its_pages_and_is_told_of_the_others(desk: ConsolePage) -> None:
    desk.sign_up("carla", Role.ADJUDICATOR)
    places = desk.page.get_by_role("navigation").get_by_role("link")
    assert "Operators" not in places.all_inner_texts()
    assert "Activity" not in places.all_inner_texts()
    answer = desk.page.goto(f"{desk.url}/console/operators")
    assert answer is not None
    assert answer.status == 403
    desk.expect_heading("Not allowed")
    expect(desk.page.get_by_text("Your role, adjudicator, does not")).to_be_visible()


def test_a_kiosk_is_invited_shown_once_and_revoked(desk: ConsolePage) -> None:
    page, kiosks = desk.page, desk.console.operations.kiosks
    desk.sign_up("ada", Role.ADMIN)
    desk.open("kiosks")
    page.get_by_role("link", name="Invite a kiosk").click()
    page.get_by_label("Name").fill("Library")
    desk.press("Make a code")
    code = page.locator("#once").inner_text()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("row", name="Library")).to_contain_text("invited")
    assert code not in page.content()
    kiosks.register(
        code, bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    )
    page.reload()
    row = page.get_by_role("row", name="Library")
    expect(row).to_contain_text("registered")
    row.get_by_role("link", name="Revoke").click()
    desk.press("Revoke Library")
    expect(page.get_by_role("row", name="Library")).to_contain_text("revoked")
    actions = [entry.action for entry in desk.console.staff.trail.read(2)]
    assert actions == [Action.KIOSK_REVOKED, Action.KIOSK_INVITED]


def test_two_people_decide_with_the_pictures_before_them(desk: ConsolePage) -> None:
    page, people = desk.page, desk.console.desk
    people.enroll("1", 1, ENROLLED)
    case = people.enroll("2 like 1", 2, BOTH)
    for name, told in (("ada", "Another adjudicator"), ("ben", "different people")):
        desk.sign_up(name, Role.ADJUDICATOR)
        desk.open("reviews")
        desk.press("Look")
        desk.expect_heading("Is it the same person?")
        assert page.locator(".faces img").count() == 2
        desk.press("Vote")  # the browser asks for an answer first
        expect(page.get_by_label("Same")).to_be_focused()
        page.get_by_label("Different").check()
        desk.press("Vote")
        expect(page.get_by_role("status")).to_contain_text(told)
    assert people.service.find(case.id).status is EnrollmentStatus.ACCEPTED
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser kept no picture
        page.go_back()


def test_a_report_is_downloaded_and_noted(desk: ConsolePage) -> None:
    desk.sign_up("ada", Role.AUDITOR)
    desk.open("report")
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename.endswith(".pdf")
    assert Path(download.value.path()).read_bytes() == b"a report as pdf"
    assert desk.console.staff.trail.read(1)[0].action is Action.REPORT_DOWNLOADED


def test_the_overview_stays_true_by_itself_until_the_session_is_over(desk: ConsolePage) -> None:
    page = desk.page
    page.clock.install()
    desk.sign_up("ada", Role.AUDITOR)
    decided = page.locator(".figure", has_text="Decided in 24 hours").locator("dd").first
    expect(decided).to_have_text("0")
    page.get_by_text("Show the numbers").click()
    desk.console.decide(0, 1, 0)
    desk.console.clock.forward(31)  # what was counted is kept for a while
    page.clock.run_for(11_000)
    expect(decided).to_have_text("3")
    expect(page.locator("#hours")).to_have_attribute("open", "")
    desk.console.clock.forward(IDLE)
    page.clock.run_for(11_000)
    desk.expect_page("sign-in?next=/console/")


def test_everything_by_keyboard_alone(desk: ConsolePage) -> None:
    page = desk.page
    desk.open(f"join#{desk.console.invited('ada', Role.ADMIN)}")
    _tab_to(desk, "button")
    page.keyboard.press("Enter")
    desk.expect_heading("Welcome, ada")
    _tab_to(desk, "[data-passkey]")
    page.keyboard.press("Enter")
    desk.expect_page("")
    _tab_to(desk, ".skip")
    _tab_to(desk, "a[href='/console/kiosks']")
    page.keyboard.press("Enter")
    desk.expect_page("kiosks")
    _tab_to(desk, "a[href='/console/kiosks/invite']")
    page.keyboard.press("Enter")
    desk.expect_page("kiosks/invite")
    _tab_to(desk, "#name")
    page.keyboard.type("Library")
    page.keyboard.press("Enter")
    desk.expect_heading("Code for Library")
    _tab_to(desk, ".who button")
    page.keyboard.press("Space")
    desk.expect_page("sign-in")


def _tab_to(desk: ConsolePage, selector: str) -> None:
    """Press Tab until an element has the focus, which has to be visible."""
    desk.page.wait_for_load_state("load")  # with the styles
    for _ in range(30):
        desk.page.keyboard.press("Tab")
        if desk.page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = "getComputedStyle(document.activeElement).outlineWidth"
            assert desk.page.evaluate(outline) == "3px"
            return
    raise AssertionError(f"Tab does not lead to {selector}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_telephone(
    browser: Browser, tmp_path: Path, scheme: str
) -> None:
    look = {
        "viewport": {"width": 360, "height": 740},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
    }
    with opened_console(browser, tmp_path, **look) as desk:
        a_day(desk.console)
        found = {}
        for path in ("sign-in", "join"):
            desk.open(path)
            found[path] = _faults(desk)
        desk.open(f"join#{desk.console.invited('ada', Role.ADMIN)}")
        desk.press("Continue")
        desk.page.locator("summary").click()
        found["join, password"] = _faults(desk)
        desk.press("Make a passkey")
        desk.expect_page("")
        for path in (*PLACES, *FORMS):
            desk.open(path)
            found[path] = _faults(desk)
        assert found == {path: [] for path in found}
        assert desk.complaints == []


def _faults(desk: ConsolePage) -> list[str]:
    wide = desk.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return serious_violations(desk.page, settle=0) + (["wider than the screen"] if wide else [])


def test_no_secret_reaches_a_log_or_the_activity(desk: ConsolePage) -> None:
    with capture_logs() as lines:
        code = desk.console.invited("ben", Role.ADMIN)
        desk.open(f"join#{code}")
        desk.press("Continue")
        desk.page.get_by_text("Choose a password instead").click()
        secret = desk.page.locator(".hint code").inner_text()
        digits = desk.console.digits(secret)
        desk.page.get_by_label("Password").fill(PASSWORD)
        desk.page.get_by_label("The six digits").fill(digits)
        desk.press("Sign up")
        desk.expect_page("")
        desk.open("kiosks/invite")
        desk.page.get_by_label("Name").fill("Library")
        desk.press("Make a code")
        kiosk_code = desk.page.locator("#once").inner_text()
        desk.open("receipts")
        desk.page.get_by_label("Receipt").fill("not.a.receipt")
        desk.press("Check")
        expect(desk.page.get_by_role("alert")).to_be_visible()
        (cookie,) = desk.page.context.cookies()
    assert cookie.get("httpOnly")
    held = f"{lines}{desk.console.staff.trail.read(50)}"
    assert "Library" in held
    assert "/console/join/password" in held
    for hidden in (code, secret, digits, PASSWORD, kiosk_code, str(cookie.get("value")), "not.a.r"):
        assert hidden not in held
