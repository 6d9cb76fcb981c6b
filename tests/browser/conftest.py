from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browsing import Capture, launched, opened
from tests.browser.camera import FakeCamera, holding
from tests.browser.page import PATIENCE, KioskPage, Poses
from tests.photographs import person_of_six


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> FakeCamera:
    return FakeCamera(tmp_path_factory.mktemp("camera") / "film.y4m")


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    """The machine that runs the tests may be busy."""
    expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser(camera: FakeCamera) -> Iterator[Browser]:
    with launched(camera) as browser:
        yield browser


@pytest.fixture
def capture() -> Capture:
    """What the service asks for; a test that takes three poses overrides it."""
    return "photograph"


@pytest.fixture
def unsure() -> bool:
    """Whether the service sends people to review; a test that wants that overrides it."""
    return False


@pytest.fixture
def kiosk(
    browser: Browser, camera: FakeCamera, tmp_path: Path, capture: Capture, unsure: bool
) -> Iterator[KioskPage]:
    """A kiosk that is not registered yet; fails the test if the page complains."""
    with opened(browser, camera, tmp_path, capture, unsure=unsure) as kiosk:
        complaints = _listen(kiosk.page, kiosk.url)
        yield kiosk
    assert complaints == []


def _listen(page: Page, url: str) -> list[str]:
    """Collect what no test may cause: errors, and requests to anywhere else."""
    complaints: list[str] = []
    page.on(
        "pageerror", lambda e: None if "made by a test" in str(e) else complaints.append(str(e))
    )
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
