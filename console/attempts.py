"""How often somebody may try to sign in."""

from typing import Final

from console.errors import TooManyAttempts
from enrollment.limits import RateLimit

_WINDOW: Final = 15 * 60  # seconds
_BY_NAME: Final = 10
_BY_CLIENT: Final = 60


class Attempts:
    """Counts attempts of the last quarter of an hour, in this process.

    A name whose password is being guessed is closed for passwords, but not for passkeys, which
    cannot be guessed: so nobody can lock an operator out who has one.
    """

    def __init__(self) -> None:
        self._by_name = RateLimit(_BY_NAME, _WINDOW)
        self._by_client = RateLimit(_BY_CLIENT, _WINDOW)

    def of_client(self, address: str) -> None:
        """Count an attempt that comes from a network address.

        Raises:
            TooManyAttempts: there were too many.
        """
        self._count(self._by_client, address)

    def of_name(self, name: str) -> None:
        """Count an attempt to guess the password of a name, known or not.

        Raises:
            TooManyAttempts: there were too many.
        """
        self._count(self._by_name, name)

    def _count(self, limit: RateLimit, sender: str) -> None:
        if not limit.allows(sender):
            raise TooManyAttempts(
                "Too many attempts to sign in. Wait a quarter of an hour, or use a passkey."
            )
