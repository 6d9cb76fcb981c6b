"""Under which address the console answers; passkeys and cookies are bound to it.

Over TLS it is the one that the operator configured. Without configuration it is `localhost` over
plain HTTP, whatever the port, and nothing else: there a browser treats the page as secure, and no
cookie of ours crosses a network.
"""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from console.errors import AddressRefused, ConsoleAddressInvalid

_LOCAL = "localhost"
_LOOPBACK = ("127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Origin:
    """Scheme and host with port, as browsers write an origin."""

    scheme: str
    host: str

    @property
    def text(self) -> str:
        """Such as https://console.example."""
        return f"{self.scheme}://{self.host}"

    @property
    def host_name(self) -> str:
        """The host without its port: the relying party's id."""
        return urlsplit(self.text).hostname or ""

    @property
    def is_secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.scheme == "https"

    @property
    def cookie(self) -> str:
        """The session cookie's name; browsers hold `__Host-` to TLS, this host, and the root."""
        return "__Host-personhood-console" if self.is_secure else "personhood-console"


class ConsoleAddress:
    """Tells the origin of a request.

    Args:
        url: `https://host[:port]` or `http://localhost[:port]`; None for localhost at any port.

    Raises:
        ConsoleAddressInvalid: another one.
    """

    def __init__(self, url: str | None) -> None:
        self._own = None if url is None else _parsed(url)

    @classmethod
    def local(cls) -> Self:
        """`http://localhost` at any port."""
        return cls(None)

    def link(self, path: str, port: int) -> str:
        """Write the address of a page, for somebody to open."""
        return (self._own or Origin("http", f"{_LOCAL}:{port}")).text + path

    def origin_of(self, host: str) -> Origin:
        """Tell the origin of a request by its Host header.

        Raises:
            AddressRefused: the console does not answer there; it may name where it does.
        """
        if self._own is not None:
            if host.lower() == self._own.host:
                return self._own
            raise AddressRefused("The console has another address.", self._own.text)
        name, _, port = host.lower().rpartition(":") if ":" in host[-6:] else (host.lower(), "", "")
        suffix = f":{port}" if port else ""
        if name == _LOCAL:
            return Origin("http", _LOCAL + suffix)
        if name in _LOOPBACK:
            raise AddressRefused("The console has another address.", f"http://{_LOCAL}{suffix}")
        raise AddressRefused(
            "The console answers at http://localhost alone. To reach it from elsewhere, serve it "
            "over TLS and set PERSONHOOD_CONSOLE_URL to its https address."
        )


def _parsed(url: str) -> Origin:
    parts = urlsplit(url.rstrip("/").lower())
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == _LOCAL)
    if not (is_bare and is_safe and parts.hostname):
        raise ConsoleAddressInvalid(
            "PERSONHOOD_CONSOLE_URL is https://host, or http://localhost:port to try it out"
        )
    return Origin(parts.scheme, parts.netloc)
