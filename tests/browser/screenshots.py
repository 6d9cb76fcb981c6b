"""`python -m tests.browser.screenshots`: every screen of the page, into docs/kiosk."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from identity_proofs.statement import Purpose
from tests.browser.browsing import launched, opened
from tests.browser.camera import FakeCamera, in_front_of_camera, nobody
from tests.browser.page import KioskPage
from tests.photographs import another_exposure, astronaut, person_of_six
from tests.service import wallet

FOLDER = Path(__file__).parents[2] / "docs/kiosk"
WIDTH = 960  # pixels
COLOURS = 128


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        camera = FakeCamera(Path(folder) / "film.y4m")
        with launched(camera) as browser:
            for capture, visits in (("photograph", _one_picture), ("live", _three_pictures)):
                directory = Path(folder) / capture
                directory.mkdir()
                with opened(browser, camera, directory, capture) as kiosk:
                    visits(kiosk)
            directory = Path(folder) / "unsure"
            directory.mkdir()
            with opened(browser, camera, directory, "photograph", unsure=True) as kiosk:
                _review_and_recovery(kiosk)


def _one_picture(kiosk: KioskPage) -> None:
    page = kiosk.page
    kiosk.open()
    _keep(page, "register")
    kiosk.register("Library")
    _keep(page, "welcome")
    page.get_by_role("button", name="English").click()
    _keep(page, "consent")
    page.locator("#agree").click()
    expect(page.locator("#challenge-code path")).to_be_visible()
    page.wait_for_timeout(1500)
    _keep(page, "wallet")
    kiosk.type_statement(wallet(1))
    page.context.set_offline(True)
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    expect(page.locator("#waiting")).to_be_visible(timeout=20_000)
    _keep(page, "no-network")
    page.context.set_offline(False)
    kiosk.expect_result("You are enrolled")
    _keep(page, "accepted")
    page.get_by_role("button", name="Finish").click()

    kiosk.begin("English")
    kiosk.type_statement(wallet(2))
    kiosk.follow({"front": in_front_of_camera(another_exposure(astronaut()))})
    kiosk.expect_screen("result")
    _keep(page, "duplicate")
    page.get_by_role("button", name="Finish").click()

    kiosk.begin("English")
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_screen("result")
    _keep(page, "problem")
    kiosk.kiosks.revoke("Library")
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("button", name="English").click()
    page.locator("#agree").click()
    kiosk.expect_screen("closed")
    _keep(page, "closed")


def _three_pictures(kiosk: KioskPage) -> None:
    page = kiosk.page
    kiosk.register()
    kiosk.begin("English")
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(1))
    kiosk.camera.show(in_front_of_camera(astronaut()))
    page.locator("#stage[data-state=holding]").wait_for()
    _keep(page, "capture", settle=0)
    page.locator("#stage[data-hint^=turn_]").wait_for(timeout=60_000)
    _keep(page, "turn")
    page.locator("#leave").click()
    page.get_by_role("button", name="العربية").click()
    _keep(page, "arabic")
    page.locator("#agree").click()
    expect(page.locator("#challenge-code path")).to_be_visible()
    page.locator("#idle").wait_for(timeout=90_000)
    _keep(page, "idle")


def _review_and_recovery(kiosk: KioskPage) -> None:
    page = kiosk.page
    kiosk.register()
    kiosk.begin("English", "consent-enrolled")
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")
    page.get_by_role("button", name="Finish").click()

    kiosk.begin("English", "consent-review")
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(2))
    kiosk.follow({"front": in_front_of_camera(person_of_six(2))})
    kiosk.expect_result("Two people will decide")
    _keep(page, "review")
    page.get_by_role("button", name="Finish").click()

    kiosk.begin("English", "recover")
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(3), Purpose.RECOVER)
    kiosk.follow({"front": in_front_of_camera(another_exposure(astronaut()))})
    kiosk.expect_result("Your new wallet is in place")
    _keep(page, "recovered")


def _keep(page: Page, name: str, *, settle: int = 500) -> None:
    """Keep a screenshot of the kiosk page."""
    keep(page, FOLDER / f"{name}.png", settle=settle)


def keep(page: Page, path: Path, *, settle: int = 500) -> None:
    """Write a screenshot as a small PNG, after `settle` milliseconds."""
    page.wait_for_timeout(settle)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
