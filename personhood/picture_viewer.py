"""Shows pictures to the person at this machine: in their browser, and nowhere on the disk.

A page on 127.0.0.1, under an address that nobody can guess, for as long as the block runs. It says
`no-store`, and its pictures are part of it.
"""

import base64
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_STYLE = (
    "body{font:18px system-ui;margin:2rem;background:#111;color:#eee}"
    "section{margin-bottom:2rem}img{height:40vh;margin-right:1rem;border-radius:8px}"
)


@contextmanager
def shown(title: str, pictures: Mapping[str, Sequence[bytes]]) -> Iterator[str]:
    """Serve a page of JPEG pictures under headings; yields its address."""
    page, path = _page(title, pictures), f"/{secrets.token_urlsafe(24)}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = secrets.compare_digest(self.path.encode(), path.encode())
            content = page if found else b""
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the address is a secret."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _page(title: str, pictures: Mapping[str, Sequence[bytes]]) -> bytes:
    sections = "".join(
        f"<section><h2>{escape(heading)}</h2>{''.join(map(_image, images))}</section>"
        for heading, images in pictures.items()
    )
    return (
        f"<!doctype html><html lang=en><title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1>{sections}</html>"
    ).encode()


def _image(content: bytes) -> str:
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(content).decode()}">'
