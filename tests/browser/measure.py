"""`python -m tests.browser.measure`: what the page's looking costs, in Chromium.

Processor time is the renderer's own, so that other work on the machine does not count.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession

from tests.browser.browsing import launched, opened
from tests.browser.camera import FakeCamera, in_front_of_camera, qr_code
from tests.photographs import astronaut

FRAMES = 60

_PREPARE = """async () => {
  const { Vision } = await import("/kiosk/vision/vision.js");
  window.vision = new Vision();
  await window.vision.prepare();
}"""
_CAMERA = """async () => {
  const video = document.createElement("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  await video.play();
  window.video = video;
}"""
_LOOK = """async ([task, count]) => {
  for (let i = 0; i < count; i++) await window.vision[task](window.video);
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        camera = FakeCamera(Path(folder) / "film.y4m")
        with launched(camera) as browser:
            devtools = browser.new_browser_cdp_session()
            with opened(browser, camera, Path(folder), "photograph") as kiosk:
                kiosk.open()
                camera.show(in_front_of_camera(astronaut()))
                before = _processor_time(devtools)
                kiosk.page.evaluate(_PREPARE)
                print(f"start of the detector: {_processor_time(devtools) - before:.2f} s")
                kiosk.page.evaluate(_CAMERA)
                for name, task, image in (
                    ("a frame, with a face", "observe", in_front_of_camera(astronaut())),
                    ("a frame, with a QR code", "readCode", qr_code("x" * 233)),
                    ("a frame, without a QR code", "readCode", in_front_of_camera(astronaut())),
                ):
                    camera.show(image)
                    before = _processor_time(devtools)
                    kiosk.page.evaluate(_LOOK, [task, FRAMES])
                    spent = (_processor_time(devtools) - before) / FRAMES
                    print(f"{name}: {1000 * spent:.0f} ms")


def _processor_time(devtools: CDPSession) -> float:
    """Seconds, of all renderers."""
    processes = devtools.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(p["cpuTime"] for p in processes if p["type"] == "renderer")


if __name__ == "__main__":
    main()
