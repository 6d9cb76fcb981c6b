"""The kiosk page: its own files, its libraries from npm, and the detector it guides people with.

    app.include_router(create_kiosk_router(pack.detector_path))

All that the page loads comes from here: it works where the service is the only host in reach.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import structlog
from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from enrollment.errors import KioskPageIncomplete

PAGE: Final = Path(__file__).parent / "kiosk_page"
NODE_MODULES: Final = Path(__file__).parents[1] / "node_modules"

# What the page loads as /kiosk/vendor/<name>, and where the pinned npm package has it.
VENDOR: Final = {
    "onnxruntime/ort.wasm.bundle.min.mjs": "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
    "onnxruntime/ort-wasm-simd-threaded.wasm": "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "jsqr/jsQR.js": "jsqr/dist/jsQR.js",
    "lean-qr/index.mjs": "lean-qr/index.mjs",
    "fonts/latin.woff2": "@fontsource-variable/atkinson-hyperlegible-next/files/"
    "atkinson-hyperlegible-next-latin-wght-normal.woff2",
    "fonts/latin-ext.woff2": "@fontsource-variable/atkinson-hyperlegible-next/files/"
    "atkinson-hyperlegible-next-latin-ext-wght-normal.woff2",
    "fonts/arabic.woff2": "@fontsource-variable/noto-sans-arabic/files/"
    "noto-sans-arabic-arabic-wght-normal.woff2",
}
DETECTOR: Final = "models/face_detection.onnx"

# Nothing from elsewhere, nothing inline, no frame around it. WebAssembly is compiled from our own
# origin only, for scripts may come from nowhere else.
HEADERS: Final = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self'",
            "connect-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), fullscreen=(self), geolocation=(), microphone=(), "
    "payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}

_log = structlog.get_logger("enrollment")


def create_kiosk_router(
    detector: Path, *, keeps_images: bool = False, packages: Sequence[Path] = (NODE_MODULES,)
) -> APIRouter:
    """Create the routes of the page under `/kiosk/`.

    Args:
        detector: YuNet's ONNX file, of the pack `opencv`.
        keeps_images: whether people may let pictures be kept; else they are not asked.
        packages: `node_modules` directories; the first that has a file is taken.

    A file that is not installed is logged here, at once; the page then answers
    `KioskPageIncomplete`, which says how to install it, and the service runs on without the page.
    """
    router = APIRouter(prefix="/kiosk", include_in_schema=False)
    files = _page_files() | _vendor_files(packages) | {DETECTOR: detector}
    missing = sorted(name for name, path in files.items() if not path.is_file())
    if missing:
        _log.error("kiosk_page_incomplete", missing=missing)

    @router.get("")
    async def redirect() -> Response:
        return RedirectResponse("kiosk/", headers=HEADERS)

    @router.get("/settings.json")
    async def settings() -> Response:
        return JSONResponse({"keepsImages": keeps_images}, headers=HEADERS)

    @router.get("/{name:path}")
    async def file(name: str) -> Response:
        name = name or "index.html"
        if name not in files:
            raise HTTPException(404)
        if missing and (name == "index.html" or name in missing):
            raise KioskPageIncomplete(_how_to_install(missing))
        path = files[name]
        return FileResponse(path, media_type=_TYPES[path.suffix], headers=HEADERS)

    return router


def _page_files() -> dict[str, Path]:
    return {
        path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.suffix in _TYPES
    }


def _vendor_files(packages: Sequence[Path]) -> dict[str, Path]:
    return {
        f"vendor/{name}": _first(directory / path for directory in packages)
        for name, path in VENDOR.items()
    }


def _first(candidates: Iterable[Path]) -> Path:
    """Take the first file that is there; where none is, the first that could have been."""
    paths = list(candidates)
    return next((path for path in paths if path.is_file()), paths[0])


def _how_to_install(missing: Sequence[str]) -> str:
    steps = []
    if DETECTOR in missing:
        steps.append("run `personhood models install opencv`")
    if any(name != DETECTOR for name in missing):
        steps.append("run `npm ci` in the project's directory (or `make install`)")
    return f"The kiosk page is not installed completely: {' and '.join(steps)}, then restart."
