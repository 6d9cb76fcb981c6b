"""A template in three parts, of which each party holds two: any one party sees only noise.

Replicated secret sharing (Araki et al., CCS 2016) over the ring of 64-bit numbers: three
components, the first two drawn at random, add up to the template. Party i holds components i and
i + 1 (modulo 3), so two parties together could put a template together, and one cannot.
"""

import secrets
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidTemplate
from uniqueness.private.quantised import QuantisedTemplate

PARTIES = 3
RING_BYTES = 8

RingArray = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Share:
    """What one party holds of one template.

    Args:
        components: (2, d) uint64, the party's own component and the next one.
    """

    components: RingArray = field(repr=False)

    def to_bytes(self) -> bytes:
        """Both components, little-endian."""
        return self.components.astype("<u8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            InvalidTemplate: not two components of whole 64-bit numbers.
        """
        if not data or len(data) % (2 * RING_BYTES):
            raise InvalidTemplate("a share holds two components of 64-bit numbers")
        return cls(np.frombuffer(data, "<u8").astype(np.uint64).reshape(2, -1))


def split(template: QuantisedTemplate) -> tuple[Share, Share, Share]:
    """Split a (d,) int16 template; the randomness is the operating system's."""
    values = template.astype(np.int64).view(np.uint64)
    noise = np.frombuffer(secrets.token_bytes(2 * RING_BYTES * values.size), np.uint64)
    first, second = noise.reshape(2, -1)
    parts = np.stack([first, second, values - first - second])
    shares = (Share(parts[[party, (party + 1) % PARTIES]]) for party in range(PARTIES))
    return next(shares), next(shares), next(shares)
