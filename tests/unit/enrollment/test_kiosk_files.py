"""How the page is served: to whom, with which headers, and what if a part is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from enrollment.kiosk_files import DETECTOR, HEADERS, PAGE, VENDOR, create_kiosk_router
from enrollment.requests import install_problem_handlers
from tests.service import served


@contextmanager
def client_of(
    detector: Path, *packages: Path, keeps_images: bool = False
) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.include_router(create_kiosk_router(detector, packages=packages, keeps_images=keeps_images))
    install_problem_handlers(app)
    with served(app) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A directory as npm leaves it, with a detector beside it."""
    for path in VENDOR.values():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"library")
    (tmp_path / "yunet.onnx").write_bytes(b"network")
    return tmp_path


def test_every_file_has_its_type_and_the_headers(installed: Path) -> None:
    types = {
        "": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "style/base.css": "text/css; charset=utf-8",
        "style/fonts.css": "text/css; charset=utf-8",
        "locales/ar.json": "application/json",
        "icons.svg": "image/svg+xml",
        "settings.json": "application/json",
        DETECTOR: "application/octet-stream",
        "vendor/onnxruntime/ort-wasm-simd-threaded.wasm": "application/wasm",
        "vendor/lean-qr/index.mjs": "text/javascript; charset=utf-8",
        "vendor/fonts/arabic.woff2": "font/woff2",
    }
    with client_of(installed / "yunet.onnx", installed) as client:
        answers = {name: client.get(f"/kiosk/{name}") for name in types}
    assert {name: answer.headers["content-type"] for name, answer in answers.items()} == types
    for answer in answers.values():
        assert answer.status_code == 200
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_lets_nothing_in_from_outside_and_nothing_inline() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert "http" not in policy


def test_the_page_itself_names_no_other_host_and_has_nothing_inline() -> None:
    for path in PAGE.rglob("*"):
        if path.suffix in {".html", ".js", ".css"}:
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert "://" not in text, path
            assert " style=" not in text, path
    assert "<script>" not in (PAGE / "index.html").read_text()


def test_only_the_page_is_served(installed: Path) -> None:
    outside = ["nothing.js", "%2e%2e/kiosk_files.py", "vendor/jsqr/LICENSE", "vendor/"]
    with client_of(installed / "yunet.onnx", installed) as client:
        assert [client.get(f"/kiosk/{name}").status_code for name in outside] == [404] * 4
        assert client.get("/kiosk").headers["location"] == "kiosk/"


@pytest.mark.parametrize("keeps_images", [False, True])
def test_the_page_knows_whether_images_can_be_kept(installed: Path, keeps_images: bool) -> None:
    with client_of(installed / "yunet.onnx", installed, keeps_images=keeps_images) as client:
        assert client.get("/kiosk/settings.json").json() == {"keepsImages": keeps_images}


def test_without_the_libraries_the_page_says_what_to_install(tmp_path: Path) -> None:
    with client_of(tmp_path / "yunet.onnx", tmp_path) as client:
        answer = client.get("/kiosk/")
    assert (answer.status_code, answer.json()["code"]) == (503, "kiosk_page_incomplete")
    assert "npm ci" in answer.json()["detail"]
    assert "personhood models install opencv" in answer.json()["detail"]


def test_the_first_directory_that_has_a_library_serves_it(installed: Path, tmp_path: Path) -> None:
    with client_of(installed / "yunet.onnx", tmp_path / "nothing here", installed) as client:
        assert client.get("/kiosk/").status_code == 200
