"""How often somebody may ask: far more than the honest need, far less than a flood."""

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from enrollment.errors import TooManyRequests
from enrollment.kiosks import Kiosk


class RateLimit:
    """Counts requests of the last moments by whoever sends them, in this process.

    Args:
        amount: most requests of one sender in any window.
        seconds: length of the window.
    """

    def __init__(self, amount: int, seconds: int) -> None:
        self._limit = RateLimitItemPerSecond(amount, seconds)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, sender: str) -> bool:
        """Count a request, and tell whether it is one too many."""
        return self._window.hit(self._limit, sender)


class KioskRateLimit:
    """Counts a kiosk's requests of the last minute, in this process.

    Args:
        per_minute: most requests of one kiosk in any minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._limit = RateLimit(per_minute, 60)

    def take(self, kiosk: Kiosk) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the kiosk has had its requests of this minute.
        """
        if not self._limit.allows(kiosk.id):
            raise TooManyRequests(
                f"This kiosk sent more than {self._per_minute} requests in a minute. Wait."
            )


class AddressRateLimit:
    """Counts the requests that came unsigned from an address in the last minute.

    Args:
        per_minute: most requests of one address in any minute.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimit(per_minute, 60)

    def take(self, address: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the address has had its requests of this minute.
        """
        if not self._limit.allows(address):
            raise TooManyRequests("Too many requests from this address. Wait a minute.")
