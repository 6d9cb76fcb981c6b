"""A network that goes and comes back, and a kiosk that is shut."""

import pytest
from playwright.sync_api import Request, expect

from tests.browser.camera import in_front_of_camera
from tests.browser.page import KioskPage
from tests.photographs import astronaut
from tests.service import wallet

pytestmark = pytest.mark.slow


def test_a_lost_network_is_told_and_the_same_request_sent_again(kiosk: KioskPage) -> None:
    sent: list[Request] = []
    kiosk.page.on("request", lambda r: sent.append(r) if "/enrollments" in r.url else None)
    kiosk.register()
    kiosk.begin()
    kiosk.type_statement(wallet(1))
    kiosk.page.context.set_offline(True)
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    expect(kiosk.page.locator("#waiting")).to_contain_text("No connection", timeout=20_000)
    assert kiosk.screen == "sending"
    kiosk.page.context.set_offline(False)
    kiosk.expect_result("You are enrolled")
    expect(kiosk.page.locator("#waiting")).to_be_hidden()
    assert len(sent) >= 2
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    assert len({request.headers["content-digest"] for request in sent}) == 1
    assert len({request.headers["signature-input"] for request in sent}) == len(sent)


def test_an_answer_that_was_lost_is_asked_for_again(kiosk: KioskPage) -> None:
    """The service has decided; only the kiosk does not know."""
    kiosk.register()
    kiosk.begin()
    kiosk.type_statement(wallet(1))
    lost = []

    def lose_the_first(route):
        if not lost:
            lost.append(route.fetch().json())
            route.abort("connectionreset")
        else:
            route.continue_()

    kiosk.page.route("**/v1/enrollments", lose_the_first)
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")
    assert lost[0]["outcome"] == "accepted"


def test_whoever_stops_while_the_network_is_lost_leaves_nothing(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.begin()
    kiosk.type_statement(wallet(1))
    kiosk.page.context.set_offline(True)
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    expect(kiosk.page.locator("#waiting")).to_be_visible(timeout=20_000)
    kiosk.page.get_by_role("button", name="Stop and erase").click()
    kiosk.expect_screen("welcome")
    expect(kiosk.page.locator("#waiting")).to_be_hidden()
    kiosk.page.context.set_offline(False)
    kiosk.begin()


def test_a_revoked_kiosk_closes_and_can_be_registered_anew(kiosk: KioskPage) -> None:
    kiosk.register("Library")
    kiosk.begin()
    kiosk.type_statement(wallet(1))
    kiosk.kiosks.revoke("Library")
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_screen("closed")
    expect(kiosk.page.locator("#closed-reason")).to_contain_text("switched off by the operator")
    kiosk.page.get_by_role("button", name="register again").click()
    kiosk.expect_screen("register")
    kiosk.register("Library, new tablet")


def test_a_registered_kiosk_is_known_the_next_morning(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.open()
    kiosk.expect_screen("welcome")
    kiosk.begin()


def test_a_wrong_code_registers_nothing(kiosk: KioskPage) -> None:
    kiosk.open()
    kiosk.page.get_by_label("One-time code").fill("AAAA-BBBB-CCCC-DDDD")
    kiosk.page.get_by_role("button", name="Register").click()
    expect(kiosk.page.locator("#register-error")).to_contain_text("unknown, used or expired")
    assert kiosk.screen == "register"


def test_a_clock_that_is_wrong_is_named(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3_600_000; }")
    kiosk.page.get_by_role("button", name="English").click()
    kiosk.page.locator("#agree").click()
    kiosk.expect_result("That did not work")
    expect(kiosk.page.locator("#result-lead")).to_contain_text("clock")
    expect(kiosk.page.locator("#result-next")).to_contain_text("seconds ahead")
