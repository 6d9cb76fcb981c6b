"""What is left when a person goes, and how they go."""

import pytest
from playwright.sync_api import expect

from tests.browser.camera import in_front_of_camera, nobody
from tests.browser.page import KioskPage
from tests.photographs import astronaut
from tests.service import wallet

pytestmark = pytest.mark.slow


def test_after_the_result_nothing_of_the_person_remains(kiosk: KioskPage) -> None:
    kiosk.register()
    before = kiosk.remains()
    kiosk.begin()
    challenge = kiosk.challenge
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")
    assert kiosk.page.locator("video").evaluate_all("all => all.every(v => !v.srcObject)")
    kiosk.page.get_by_role("button", name="Finish").click()
    kiosk.expect_screen("welcome")
    after = kiosk.remains()
    assert after == before | {"text": after["text"]}
    assert challenge not in after["text"]
    assert "personhood-enrol:1:" not in after["text"].replace("personhood-enrol:1:…", "")
    assert not after["ticked"]
    assert after["streams"] == 0
    assert after["databases"] == ["personhood-kiosk"]  # the device's own key and nothing else


def test_going_away_ends_the_turn_after_a_visible_countdown(kiosk: KioskPage) -> None:
    kiosk.page.clock.install()
    kiosk.register()
    kiosk.begin()
    kiosk.page.locator("#statement").fill("personhood-enrol:1:half-typed")
    kiosk.page.clock.run_for(50_000)
    expect(kiosk.page.locator("#idle")).to_be_hidden()
    kiosk.page.clock.run_for(14_000)
    expect(kiosk.page.get_by_role("dialog", name="Are you still there?")).to_be_visible()
    kiosk.page.get_by_role("button", name="I am here").click()
    expect(kiosk.page.locator("#idle")).to_be_hidden()
    assert kiosk.screen == "wallet"
    kiosk.page.clock.run_for(80_000)
    kiosk.expect_screen("welcome")
    assert "half-typed" not in kiosk.remains()["text"]


def test_an_empty_room_ends_a_capture_too(kiosk: KioskPage) -> None:
    kiosk.page.clock.install()
    kiosk.register()
    kiosk.begin()
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(1))
    expect(kiosk.hint()).to_have_text("Look into the camera")
    kiosk.page.clock.run_for(80_000)
    kiosk.expect_screen("welcome")
    assert kiosk.remains()["streams"] == 0


def test_saying_no_or_stopping_forgets_at_once(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.page.get_by_role("button", name="English").click()
    kiosk.page.get_by_role("button", name="No, thank you").click()
    kiosk.expect_screen("welcome")
    kiosk.begin()
    challenge = kiosk.challenge
    kiosk.page.get_by_role("button", name="Stop and erase").click()
    kiosk.expect_screen("welcome")
    assert challenge not in kiosk.remains()["text"]


def test_the_key_of_the_kiosk_cannot_be_read_out(kiosk: KioskPage) -> None:
    kiosk.register()
    refused = kiosk.page.evaluate("""async () => {
      const { loadDevice } = await import("/kiosk/device.js");
      const { privateKey } = await loadDevice();
      const attempts = ["pkcs8", "jwk"].map((form) => crypto.subtle.exportKey(form, privateKey));
      const results = await Promise.allSettled(attempts);
      return [privateKey.extractable, ...results.map(({ status }) => status)];
    }""")
    assert refused == [False, "rejected", "rejected"]


def test_a_fault_that_nobody_foresaw_restarts_the_page_and_forgets(kiosk: KioskPage) -> None:
    kiosk.page.clock.install()
    kiosk.register()
    kiosk.begin()
    challenge = kiosk.challenge
    kiosk.page.evaluate("() => { Promise.reject('a fault, made by a test'); }")
    kiosk.page.clock.run_for(6_000)
    kiosk.expect_screen("welcome")
    assert challenge not in kiosk.remains()["text"]
