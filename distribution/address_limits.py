"""How often a range of addresses may ask: one household or one data centre is one range."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from time import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from distribution.errors import TooManyRequests

PREFIX = {4: 24, 6: 48}  # bits: what one customer of a provider has, at least


class AddressRateLimit:
    """Counts the requests of each range in the last minute, in this process.

    Args:
        per_minute: most of one range in any minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str | None, kind: str) -> None:
        """Count a request.

        Args:
            address: of the client; None where it has none, as on a Unix socket.
            kind: of request; each is counted by itself.

        Raises:
            TooManyRequests: the range has had its requests of this minute.
        """
        counted = range_of(address)
        if not self._window.hit(self._limit, kind, counted):
            reset = self._window.get_window_stats(self._limit, kind, counted).reset_time
            raise TooManyRequests(
                f"more than {self._limit.amount} requests in a minute came from {counted}: wait",
                max(1, ceil(reset - time())),
            )


@lru_cache(maxsize=4096)
def range_of(address: str | None) -> str:
    """The range that an address is counted with, such as 192.0.2.0/24 or 2001:db8::/48."""
    if address is None:
        return "local"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "local"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, PREFIX[parsed.version]), strict=False))
