"""The kiosk page in a real browser, and what people do with it."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from enrollment.kiosks import KioskRegistry
from identity_proofs.identity import Identity
from identity_proofs.statement import EnrollmentStatement, Purpose
from tests.browser.camera import FakeCamera, qr_code

PATIENCE = 60_000  # milliseconds: the machine that runs the tests may be busy

Poses = Mapping[str, Image.Image]


@dataclass(frozen=True)
class KioskPage:
    """One browser page, the camera before it, and the service's list of kiosks."""

    page: Page
    camera: FakeCamera
    kiosks: KioskRegistry
    url: str

    def open(self) -> None:
        """Load the page, as at the start of a day."""
        self.page.goto(f"{self.url}/kiosk/")
        expect(self.page.locator("#screen-starting")).to_be_hidden(timeout=PATIENCE)

    def register(self, name: str = "Hall") -> None:
        """Open the page and make this browser a kiosk."""
        self.open()
        self.page.get_by_label("One-time code").fill(self.kiosks.invite(name))
        self.page.get_by_role("button", name="Register").click()
        self.expect_screen("welcome")

    def begin(self, language: str = "English", *choices: str) -> None:
        """Choose a language, tick some choices by their ids, and agree."""
        self.page.get_by_role("button", name=re.compile(language)).click()
        self.expect_screen("consent")
        for choice in choices:
            self.page.locator(f"#{choice}").check()
        self.page.locator("#agree").click()
        expect(self.page.locator("#challenge-code path")).to_be_visible(timeout=PATIENCE)

    @property
    def challenge(self) -> str:
        """What the screen shows for the wallet."""
        return self.page.locator("#challenge").inner_text()

    def type_statement(self, wallet: Identity, purpose: Purpose = Purpose.ENROL) -> None:
        """Answer the challenge by keyboard."""
        statement = EnrollmentStatement.sign(wallet, self.challenge, purpose).to_text()
        self.page.locator("#statement").fill(statement)
        self.page.keyboard.press("Enter")
        self.expect_screen("capture")

    def show_statement(self, wallet: Identity) -> None:
        """Answer the challenge by a telephone's screen before the camera."""
        self.camera.show(qr_code(EnrollmentStatement.sign(wallet, self.challenge).to_text()))
        self.expect_screen("capture")

    def follow(self, poses: Poses) -> None:
        """Do what the page asks for until it has all its pictures."""
        shown = "front"
        self.camera.show(poses[shown])
        deadline = time.monotonic() + PATIENCE / 1000
        while self.screen == "capture" and time.monotonic() < deadline:
            hint = self.page.locator("#stage").get_attribute("data-hint")
            wanted = _POSE_OF_HINT.get(hint or "", shown)
            if wanted != shown:
                shown = wanted
                self.camera.show(poses[shown])
            self.page.wait_for_timeout(100)
        assert self.screen != "capture", f"the page still says: {self.hint().inner_text()}"

    @property
    def screen(self) -> str:
        return self.page.locator("body").get_attribute("data-screen") or ""

    def expect_screen(self, name: str) -> None:
        """Wait for a screen."""
        expect(self.page.locator("body")).to_have_attribute("data-screen", name, timeout=PATIENCE)

    def expect_result(self, title: str) -> None:
        """Wait for a result."""
        self.expect_screen("result")
        expect(self.page.locator("#result-title")).to_have_text(title)

    def hint(self) -> Locator:
        """The text that guides the person."""
        return self.page.locator("#hint")

    def remains(self) -> dict[str, Any]:
        """Everything that the page could still know of a person."""
        return dict(self.page.evaluate(_REMAINS))


_POSE_OF_HINT = {"turn_left": "left", "turn_right": "right", "look_straight": "front"}

_REMAINS = """async () => {
  const fields = [...document.querySelectorAll("input")];
  return {
    text: document.body.textContent + fields.map((field) => field.value).join(""),
    ticked: fields.some((field) => field.checked),
    streams: [...document.querySelectorAll("video")].filter((video) => video.srcObject).length,
    localStorage: Object.keys(localStorage),
    sessionStorage: Object.keys(sessionStorage),
    cookies: document.cookie,
    databases: (await indexedDB.databases()).map(({name}) => name),
    caches: await caches.keys(),
    history: history.length,
    url: location.pathname + location.search + location.hash,
    state: history.state,
  };
}"""
