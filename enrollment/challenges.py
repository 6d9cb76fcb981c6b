"""Challenges for wallets that come without a kiosk: nothing is stored for who may never return.

A challenge carries its own end and an HMAC over it, so the service knows its own again, also
after a restart. It may be answered twice; what is asked for with it can only be done once.
"""

import hmac
import secrets
import time
from base64 import b32decode, b32encode
from collections.abc import Callable
from typing import Final

from enrollment.errors import ChallengeInvalid

LIFETIME: Final = 600  # seconds

_TIME_BYTES, _NONCE_BYTES, _TAG_BYTES = 5, 8, 12


class Challenges:
    """Makes challenges and knows its own.

    Args:
        key: 32 secret bytes.
        clock: Unix seconds.
    """

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def issue(self) -> str:
        """Make a challenge that holds for `LIFETIME`: 40 letters and digits."""
        end = int(self._clock()) + LIFETIME
        content = end.to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_NONCE_BYTES)
        return b32encode(content + self._tag(content)).decode()

    def require(self, challenge: str) -> None:
        """Refuse what is no challenge of ours, or one whose time is over.

        Raises:
            ChallengeInvalid: it is to be asked for anew.
        """
        try:
            decoded = b32decode(challenge.encode())
        except ValueError:
            decoded = b""
        content, tag = decoded[:-_TAG_BYTES], decoded[-_TAG_BYTES:]
        end = int.from_bytes(content[:_TIME_BYTES], "big")
        if not hmac.compare_digest(tag, self._tag(content)) or end < self._clock():
            raise ChallengeInvalid("This challenge is not this service's, or too old. Get another.")

    def _tag(self, content: bytes) -> bytes:
        return hmac.digest(self._key, b"personhood challenge\0" + content, "sha256")[:_TAG_BYTES]
