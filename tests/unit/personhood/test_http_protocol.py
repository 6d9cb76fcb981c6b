"""The relayer's HTTP parser, which bounds what it keeps of a request."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from personhood.http_protocol import MOST, BoundedHttp
from tests.service import served


async def count(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with served(count, BoundedHttp) as url:
        found = urlsplit(url)
        yield str(found.hostname), int(found.port or 0)


def request(size: int, padding: int = 0) -> bytes:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\nPad: {'x' * padding}\r\n\r\n"
    return head.encode() + b"a" * size


def ask(connection: socket.socket, sent: bytes) -> tuple[bytes, bytes]:
    """The status and the body of one answer."""
    connection.sendall(sent)
    with connection.makefile("rb") as answer:
        status, length = answer.readline().split()[1], 0
        while line := answer.readline().strip().lower():
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, answer.read(length)


def test_many_requests_on_one_connection(address: tuple[str, int]) -> None:
    """Together they have more than is let pass of one head; a body may be long."""
    with socket.create_connection(address, timeout=10) as connection:
        for size in (0, 1, 1000, 5 * MOST):
            for _ in range(3):
                assert ask(connection, request(size, MOST // 3)) == (b"200", str(size).encode())


@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\r\nHost: x\r\nPad: ", b"GET /"], ids=["header", "path"]
)
def test_a_head_without_an_end(address: tuple[str, int], begun: bytes) -> None:
    with socket.create_connection(address, timeout=10) as connection:
        assert ask(connection, request(0))[0] == b"200"
        connection.sendall(begun)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):  # noqa: PT012 - in some round
            for _ in range(1000):
                connection.sendall(b"x" * MOST)
