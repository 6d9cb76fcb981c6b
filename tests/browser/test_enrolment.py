"""People enrol at a kiosk, in a real browser, against the real service."""

import pytest
from playwright.sync_api import expect

from identity_proofs.statement import Purpose
from tests.browser.camera import in_front_of_camera, nobody, two_people
from tests.browser.page import KioskPage, Poses
from tests.photographs import another_exposure, astronaut, person_of_six
from tests.service import wallet

pytestmark = pytest.mark.slow


class TestWithTheLiveChallenge:
    @pytest.fixture
    def capture(self) -> str:
        return "live"

    def test_a_person_turns_their_head_and_is_enrolled(
        self, kiosk: KioskPage, woman: Poses
    ) -> None:
        kiosk.register()
        kiosk.begin()
        kiosk.camera.show(nobody())
        kiosk.show_statement(wallet(1))
        kiosk.follow(woman)
        kiosk.expect_result("You are enrolled")
        expect(kiosk.page.locator("#receipt-code path")).to_be_visible()

    def test_two_people_cannot_take_turns_in_one_session(
        self, kiosk: KioskPage, woman: Poses
    ) -> None:
        man = in_front_of_camera(person_of_six(2))
        kiosk.register()
        kiosk.begin()
        kiosk.type_statement(wallet(1))
        kiosk.follow({**woman, "front": man})
        kiosk.expect_result("That did not work")
        expect(kiosk.page.locator("#result-lead")).to_contain_text("same person")


def test_the_same_face_with_another_wallet_is_refused(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.begin()
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")
    kiosk.page.get_by_role("button", name="Finish").click()
    kiosk.expect_screen("welcome")

    kiosk.begin("Français")
    kiosk.type_statement(wallet(2))
    kiosk.follow({"front": in_front_of_camera(another_exposure(astronaut()))})
    kiosk.expect_result("Vous avez déjà une inscription")
    expect(kiosk.page.locator("#receipt")).to_be_hidden()


def test_the_camera_waits_until_one_person_stands_well(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.camera.show(nobody())
    kiosk.begin()
    kiosk.type_statement(wallet(1))
    expect(kiosk.hint()).to_have_text("Look into the camera")
    kiosk.camera.show(two_people(astronaut(), person_of_six(2)))
    expect(kiosk.hint()).to_have_text("One person at a time, please", timeout=20_000)
    kiosk.camera.show(in_front_of_camera(astronaut()).point(lambda level: level // 8))
    expect(kiosk.hint()).to_have_text("Too dark: turn to the light", timeout=20_000)
    assert kiosk.screen == "capture"
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")


def test_a_wallet_that_is_enrolled_already_is_sent_back(kiosk: KioskPage) -> None:
    kiosk.register()
    for outcome in ("You are enrolled", "That did not work"):
        kiosk.begin()
        kiosk.type_statement(wallet(1))
        kiosk.follow({"front": in_front_of_camera(astronaut())})
        kiosk.expect_result(outcome)
        if outcome == "You are enrolled":
            kiosk.page.get_by_role("button", name="Finish").click()
    expect(kiosk.page.locator("#result-lead")).to_contain_text("enrolled already")
    kiosk.page.get_by_role("button", name="Show the wallet again").click()
    kiosk.expect_screen("wallet")


def test_a_statement_for_another_challenge_is_refused(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.begin()
    overheard = kiosk.challenge
    kiosk.page.get_by_role("button", name="Stop and erase").click()
    kiosk.begin()
    assert kiosk.challenge != overheard
    kiosk.page.evaluate(
        "(old) => document.getElementById('challenge').textContent = old", overheard
    )
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("That did not work")
    expect(kiosk.page.locator("#result-lead")).to_contain_text("does not fit this challenge")


def test_what_is_no_statement_is_not_sent(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.begin()
    kiosk.page.locator("#statement").fill("https://example.org/a-poster-in-the-background")
    kiosk.page.keyboard.press("Enter")
    expect(kiosk.page.locator("#statement-error")).to_contain_text("It begins with")
    assert kiosk.screen == "wallet"


def test_without_a_camera_the_answer_can_be_typed_and_the_operator_is_called(
    kiosk: KioskPage,
) -> None:
    kiosk.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no camera'))"
    )
    kiosk.register()
    kiosk.begin()
    expect(kiosk.page.locator(".scanner-off")).to_be_visible()
    kiosk.type_statement(wallet(1))
    expect(kiosk.page.locator("#capture-error")).to_contain_text("tell the operator")


def test_people_are_asked_for_pictures_only_where_the_service_keeps_them(kiosk: KioskPage) -> None:
    boxes = [kiosk.page.locator(f"#consent-{name}") for name in ("review", "enrolled")]
    kiosk.register()
    kiosk.page.get_by_role("button", name="English").click()
    for box in (*boxes, kiosk.page.locator("#recover")):
        expect(box).to_be_visible()
        expect(box).not_to_be_checked()
    kiosk.page.route("**/kiosk/settings.json", lambda r: r.fulfill(json={"keepsImages": False}))
    kiosk.open()
    kiosk.page.get_by_role("button", name="English").click()
    for box in boxes:
        expect(box).to_be_hidden()
    expect(kiosk.page.locator("#recover")).to_be_visible()


def test_what_one_person_ticked_is_not_ticked_for_the_next(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.begin("English", "consent-review", "consent-enrolled", "recover")
    kiosk.page.get_by_role("button", name="Stop and erase").click()
    kiosk.page.get_by_role("button", name="English").click()
    for box in ("consent-review", "consent-enrolled", "recover"):
        expect(kiosk.page.locator(f"#{box}")).not_to_be_checked()


def test_a_person_who_lost_the_wallet_gets_another(kiosk: KioskPage) -> None:
    kiosk.register()
    kiosk.begin("English", "consent-enrolled")
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")
    expect(kiosk.page.locator("#result-lead")).to_contain_text("kept encrypted, as you agreed")
    kiosk.page.get_by_role("button", name="Finish").click()

    kiosk.begin("English", "recover")
    expect(kiosk.page.locator("#challenge-hint")).to_contain_text("replace a lost wallet")
    kiosk.page.locator("#statement").fill("personhood-enrol:1:abc")
    kiosk.page.keyboard.press("Enter")
    expect(kiosk.page.locator("#statement-error")).to_contain_text("personhood-recover:1:")
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(2), Purpose.RECOVER)
    kiosk.follow({"front": in_front_of_camera(another_exposure(astronaut()))})
    kiosk.expect_result("Your new wallet is in place")
    expect(kiosk.page.locator("#receipt-code path")).to_be_visible()
    kiosk.page.get_by_role("button", name="Finish").click()

    kiosk.begin("English", "recover")
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(3), Purpose.RECOVER)
    kiosk.follow({"front": in_front_of_camera(person_of_six(2))})
    kiosk.expect_result("We did not find you")


class TestWhereTheMachineIsNeverSure:
    @pytest.fixture
    def unsure(self) -> bool:
        return True

    def test_a_review_says_that_two_people_decide_and_where_to_ask(self, kiosk: KioskPage) -> None:
        kiosk.register()
        kiosk.begin("English", "consent-enrolled")
        kiosk.type_statement(wallet(1))
        kiosk.follow({"front": in_front_of_camera(astronaut())})
        kiosk.expect_result("You are enrolled")
        kiosk.page.get_by_role("button", name="Finish").click()

        kiosk.begin("English", "consent-review")
        kiosk.camera.show(nobody())
        kiosk.type_statement(wallet(2))
        kiosk.follow({"front": in_front_of_camera(person_of_six(2))})
        kiosk.expect_result("Two people will decide")
        expect(kiosk.page.locator("#receipt-caption")).to_contain_text("number")
        label = kiosk.page.locator("#receipt-code").get_attribute("aria-label")
        assert label is not None
        assert label.endswith("number")
        kiosk.page.get_by_role("button", name="Finish").click()

        kiosk.begin("English")
        kiosk.camera.show(nobody())
        kiosk.type_statement(wallet(3))
        kiosk.follow({"front": in_front_of_camera(person_of_six(2))})
        kiosk.expect_result("We are not sure yet")
        expect(kiosk.page.locator("#receipt")).to_be_hidden()
