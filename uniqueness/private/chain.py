"""What two parties compare to know that they hold the same: a chain of digests a component.

    D(0) = SHA-256(label)
    D(n) = SHA-256(D(n - 1) || n || kind || content)

where the content of a template is the digest of one component of its share, bound to the batch and
the row that it came from, and the content of a removal is the digest of the numbers it erased. A
component is random, so its digest tells nothing of it, and may stay when the component is erased.

Each component is held by two parties. They can show each other, or a third, that their galleries
are the same up to a number, without showing what is in them.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

GENESIS: Final = hashlib.sha256(b"personhood private gallery v1").digest()
_TEMPLATE: Final = b"\x01"
_REMOVAL: Final = b"\x02"


def component_digest(batch: str, row: int, component: bytes) -> bytes:
    """SHA-256 of one component, little-endian, bound to where it came from."""
    origin = b"personhood component v1\0" + batch.encode() + b"\0" + row.to_bytes(4, "big")
    return hashlib.sha256(origin + component).digest()


def after_template(before: bytes, sequence: int, component: bytes) -> bytes:
    """The chain's value with one more template.

    Args:
        before: 32 bytes, the value at sequence - 1.
        sequence: the template's number.
        component: its `component_digest`.
    """
    return _link(before, sequence, _TEMPLATE, component)


def after_removal(before: bytes, sequence: int, erased: Sequence[int]) -> bytes:
    """The chain's value with one more removal, of the templates with some numbers."""
    numbers = b"".join(number.to_bytes(8, "big") for number in erased)
    return _link(before, sequence, _REMOVAL, hashlib.sha256(numbers).digest())


def _link(before: bytes, sequence: int, kind: bytes, content: bytes) -> bytes:
    return hashlib.sha256(before + sequence.to_bytes(8, "big") + kind + content).digest()
