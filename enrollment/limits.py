"""How often somebody may ask: far more than people ever do, far less than a flood."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from enrollment.errors import TooManyRequests
from enrollment.kiosks import Kiosk


class KioskRateLimit:
    """Counts a kiosk's requests of the last minute, in this process.

    Args:
        per_minute: most requests of one kiosk in any minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, kiosk: Kiosk) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the kiosk has had its requests of this minute.
        """
        if not self._window.hit(self._limit, kiosk.id):
            raise TooManyRequests(
                f"This kiosk sent more than {self._limit.amount} requests in a minute. Wait."
            )


class AddressRateLimit:
    """Counts the requests that came unsigned from an address in the last minute.

    Args:
        per_minute: most requests of one address in any minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the address has had its requests of this minute.
        """
        if not self._window.hit(self._limit, address):
            raise TooManyRequests("Too many requests from this address. Wait a minute.")
