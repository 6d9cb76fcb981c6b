import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from personhood.app import open_kiosks, open_service
from personhood.settings import Settings
from tests.browser.camera import FakeCamera, holding, in_front_of_camera
from tests.browser.page import KioskPage, Poses
from tests.photographs import astronaut, person_of_six
from tests.service import served


def _chromium() -> str:
    found = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.fail(
            "No Chromium: install one (Debian: apt-get install chromium), or name one in CHROME."
        )
    return found


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> FakeCamera:
    return FakeCamera(tmp_path_factory.mktemp("camera") / "film.y4m")


@pytest.fixture(scope="session")
def browser(camera: FakeCamera) -> Iterator[Browser]:
    arguments = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera.path}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def capture() -> str:
    """What the service asks for; a test that takes three poses overrides it."""
    return "photograph"


@pytest.fixture
def kiosk(
    browser: Browser, camera: FakeCamera, tmp_path: Path, capture: str
) -> Iterator[KioskPage]:
    """A fresh service, and a fresh browser profile that loads its page."""
    settings = Settings(home=tmp_path, capture=capture)
    camera.show(in_front_of_camera(astronaut()))
    with (
        open_service(settings) as app,
        served(app) as url,
        browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB") as context,
    ):
        page = context.new_page()
        complaints = _listen(page, url)
        yield KioskPage(page, camera, open_kiosks(settings), url)
        assert complaints == []


def _listen(page: Page, url: str) -> list[str]:
    """Collect what no test may cause: errors, and requests to anywhere else."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: complaints.append(r.url) if not r.url.startswith(url) else None)
    page.on(
        "console",
        lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None,
    )
    return complaints


@pytest.fixture(scope="session")
def woman() -> Poses:
    """One person of the photograph of six, in all three poses."""
    photograph = person_of_six(1)
    return {
        "front": holding(photograph, 0),
        "left": holding(photograph, 41),
        "right": holding(photograph, -41),
    }
