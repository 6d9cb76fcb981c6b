"""The machine's own Chromium, with a film for a camera, and a service for it to open."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from enrollment import packs
from personhood.app import open_service
from personhood.registers import open_kiosks
from personhood.settings import Settings
from tests.browser.camera import FakeCamera, in_front_of_camera
from tests.browser.page import KioskPage
from tests.photographs import astronaut
from tests.service import served

Capture = Literal["photograph", "live"]

_ARGUMENTS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@contextmanager
def launched(camera: FakeCamera) -> Iterator[Browser]:
    """A browser without a window that sees what the camera shows."""
    film = f"--use-file-for-fake-video-capture={camera.path}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=[*_ARGUMENTS, film])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    camera: FakeCamera,
    directory: Path,
    capture: Capture,
    *,
    unsure: bool = False,
) -> Iterator[KioskPage]:
    """A fresh service, a fresh browser profile, and a page in it that shows nothing yet.

    Args:
        unsure: the service sends everybody but the first person to review.
    """
    settings = Settings(home=directory, capture=capture)
    if unsure:
        pack = unsure_pack(directory / "pack", settings.models_dir() / "opencv")
        settings = Settings(home=directory, capture=capture, model_pack=str(pack))
    camera.show(in_front_of_camera(astronaut()))
    with (
        open_service(settings) as app,
        served(app) as url,
        _profile(browser) as context,
    ):
        yield KioskPage(context.new_page(), camera, open_kiosks(settings), url)


def unsure_pack(directory: Path, installed: Path) -> Path:
    """The default pack, but whoever is not surely enrolled might be."""
    directory.mkdir()
    for file in installed.iterdir():
        (directory / file.name).symlink_to(file)
    manifest = (Path(packs.__file__).parent / "packs/opencv.toml").read_text()
    head, _, thresholds = manifest.partition("[thresholds]")
    unsure = re.sub(r"^review = .*$", "review = -1.0", thresholds, flags=re.M)
    unsure = re.sub(r"^duplicate = .*$", "duplicate = 0.9", unsure, flags=re.M)
    (directory / "manifest.toml").write_text(f"{head}[thresholds]{unsure}")
    return directory


def _profile(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")


def _chromium() -> str:
    found = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise FileNotFoundError(
            "no Chromium: install one (Debian: apt-get install chromium), or name one in CHROME"
        )
    return found
