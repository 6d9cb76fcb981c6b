"""What a leaf of the log says: an outcome, never a score, a template or a person.

A leaf's bytes are canonical JSON (RFC 8785; all strings are printable ASCII, all numbers integers,
so that sorted keys without white space are enough). There is one way to write an entry, and only
that one is read back.
"""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from transparency.errors import EntryInvalid

VERSION: Final = 1
SALT_BYTES: Final = 32
SECONDS_PER_HOUR: Final = 3600

_KEYS: Final = {"calibration", "commitment", "hour", "kind", "kiosk", "model", "reason", "v"}
_LONGEST: Final = {"calibration": 100, "kiosk": 64, "model": 500, "reason": 100}  # characters
_DOMAIN: Final = b"personhood decision log commitment v1\n"


class Kind(StrEnum):
    """What happened."""

    UNIQUE = "unique"  # a new person was accepted
    DUPLICATE = "duplicate"  # the person is enrolled already
    REVIEW = "review"  # too near to somebody to accept, too far to refuse
    REJECTED = "rejected"  # nothing was decided about anybody; `reason` says why
    RECOVERY = "recovery"  # an enrolled person was given this new commitment
    REMOVAL = "removal"  # this commitment leaves the group: deletion, or before a recovery
    ADJUDICATION = "adjudication"  # people decided a review; `reason` is what they decided
    THRESHOLDS = "thresholds"  # decisions are made by another calibration from here on
    MODEL = "model"  # decisions are made with another model from here on
    IMAGE_DESTROYED = "image_destroyed"  # photographs kept for a review are gone


ADMITTING: Final = frozenset({Kind.UNIQUE, Kind.RECOVERY})
"""Entries whose commitment may become a leaf of the group, once."""

REMOVING: Final = frozenset({Kind.REMOVAL})
"""Entries whose commitment must leave the group."""


@dataclass(frozen=True)
class Entry:
    """One leaf.

    Args:
        kind: what happened.
        reason: a stable code, or None.
        hour: Unix seconds, rounded down to the hour.
        kiosk: a pseudonym, keyed hash of the kiosk's id; empty where none took part.
        model: name and version of what templates are made with.
        calibration: name and version of what thresholds are made with.
        commitment: `Opening.digest` of an identity commitment; None where there is none, and where
            nothing was accepted.
    """

    kind: Kind
    reason: str | None
    hour: int
    kiosk: str
    model: str
    calibration: str
    commitment: bytes | None = None

    def to_bytes(self) -> bytes:
        """The leaf.

        Raises:
            EntryInvalid: a field is not of its form.
        """
        fields = {
            "calibration": self.calibration,
            "commitment": None if self.commitment is None else self.commitment.hex(),
            "hour": self.hour,
            "kind": self.kind.value,
            "kiosk": self.kiosk,
            "model": self.model,
            "reason": self.reason,
            "v": VERSION,
        }
        _check(fields)
        return _canonical(fields)

    @classmethod
    def from_bytes(cls, leaf: bytes) -> Self:
        """Read a leaf, of which every byte must be as `to_bytes` writes it.

        Raises:
            EntryInvalid: it is not.
        """
        try:
            fields = json.loads(leaf)
        except ValueError:
            raise EntryInvalid("a leaf of the log is not JSON") from None
        if not isinstance(fields, dict) or fields.keys() != _KEYS:
            raise EntryInvalid("a leaf of the log has not the fields of an entry")
        _check(fields)
        if _canonical(fields) != leaf:
            raise EntryInvalid("a leaf of the log is not in canonical form")
        commitment = fields["commitment"]
        return cls(
            kind=Kind(fields["kind"]),
            reason=fields["reason"],
            hour=fields["hour"],
            kiosk=fields["kiosk"],
            model=fields["model"],
            calibration=fields["calibration"],
            commitment=None if commitment is None else bytes.fromhex(commitment),
        )


@dataclass(frozen=True)
class Opening:
    """What shows which commitment an entry is about.

    Args:
        commitment: an identity commitment, 0 < commitment < 2^256.
        salt: 32 random bytes.
    """

    commitment: int = field(repr=False)
    salt: bytes = field(repr=False)

    @classmethod
    def draw(cls, commitment: int) -> Self:
        """Salt a commitment."""
        return cls(commitment, secrets.token_bytes(SALT_BYTES))

    @property
    def digest(self) -> bytes:
        """SHA-256 over a domain, the salt and the commitment in 32 bytes, big-endian."""
        return hashlib.sha256(_DOMAIN + self.salt + self.commitment.to_bytes(32)).digest()


def current_hour() -> int:
    """Unix seconds, rounded down to the hour: the finest time that the log keeps."""
    return int(time.time()) // SECONDS_PER_HOUR * SECONDS_PER_HOUR


def _canonical(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _check(fields: dict[str, Any]) -> None:
    """Refuse what would have no canonical form, or says more than it should."""
    hour, commitment = fields["hour"], fields["commitment"]
    if type(fields["v"]) is not int or fields["v"] != VERSION:
        raise EntryInvalid(f"an entry of the log has not version {VERSION}")
    if fields["kind"] not in set(Kind):
        raise EntryInvalid("an entry of the log is of no known kind")
    if type(hour) is not int or not 0 <= hour < 2**53 or hour % SECONDS_PER_HOUR:
        raise EntryInvalid("an entry's hour is not Unix seconds of a whole hour")
    for name, longest in _LONGEST.items():
        text = fields[name]
        if name == "reason" and text is None:
            continue
        if not isinstance(text, str) or len(text) > longest or not _is_plain(text):
            raise EntryInvalid(f"an entry's {name} is not printable ASCII of {longest} characters")
    if commitment is not None and not _is_digest(commitment):
        raise EntryInvalid("an entry's commitment is not 32 bytes in hex")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_digest(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and not set(text) - set("0123456789abcdef")
