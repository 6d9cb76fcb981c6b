"""The door of the service: who sends a request, how often, how long it is. Before any parsing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from anyio import to_thread
from fastapi import Request

from enrollment.capture import MAX_BYTES
from enrollment.errors import RequestTooLarge, ServiceBusy, UnsupportedMediaType
from enrollment.kiosks import Kiosk, KioskRegistry
from enrollment.limits import KioskRateLimit
from enrollment.signatures import SignatureVerifier, SignedMessage, require_digest

MAX_FRAMES = 5
MAX_BODY = MAX_FRAMES * MAX_BYTES * 4 // 3 + 8192  # bytes: base64, and room for the rest
MAX_SMALL_BODY = 4096  # bytes, of requests without photographs

# A proxy may change scheme and host on the way; the signature covers neither.
_ANY_HOST = "http://service"


@dataclass(frozen=True)
class Admitted:
    """A request that a registered kiosk made, and that came in time, once, and whole."""

    kiosk: Kiosk
    body: bytes = field(repr=False)


class Turnstile:
    """Lets so many requests in at a time; whoever finds it full is told at once.

    For the event loop's thread alone.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._free = places

    @property
    def taken(self) -> int:
        """How many are in."""
        return self.places - self._free

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Take a place for as long as the block runs.

        Raises:
            ServiceBusy: there is none.
        """
        if self._free == 0:
            raise ServiceBusy("Too many people at once. Send the same request again.")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class Gate:
    """Admits requests; safe to call from many threads.

    Args:
        kiosks: who is registered.
        per_minute: most requests of one kiosk in a minute.
    """

    def __init__(self, kiosks: KioskRegistry, per_minute: int) -> None:
        self._verifier = SignatureVerifier(kiosks)
        self._limit = KioskRateLimit(per_minute)

    async def admit(self, request: Request, limit: int) -> Admitted:
        """Authenticate a request, count it, and only then read its body, up to a limit.

        Raises:
            UnsupportedMediaType: it is not announced as application/json.
            KioskUnauthorized, KioskForbidden: see `enrollment.signatures`.
            TooManyRequests: the kiosk asks too often.
            RequestTooLarge: its body has more than `limit` bytes.
        """
        _require_json(request)
        path = request.scope.get("raw_path") or request.url.path.encode()
        url = _ANY_HOST + path.decode("latin-1")
        message = SignedMessage(request.method, url, dict(request.headers))
        kiosk = await to_thread.run_sync(self._verifier.verify, message)
        request.state.kiosk = kiosk.name
        self._limit.take(kiosk)
        body = await _read(request, limit)
        require_digest(request.headers["content-digest"], body)
        return Admitted(kiosk, body)


async def read_json(request: Request, limit: int) -> bytes:
    """Read a JSON body that nobody signed, up to a limit.

    Raises:
        UnsupportedMediaType: it is not announced as application/json.
        RequestTooLarge: it has more than `limit` bytes.
    """
    _require_json(request)
    return await _read(request, limit)


def _require_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("Send the request as application/json.")


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:  # told as soon as it is so, whatever length was announced
            raise RequestTooLarge(f"The request is larger than {limit} bytes.")
    return bytes(body)
