"""What the service writes into the log, and as whom: its key, its model, its calibration."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from transparency.checkpoint import Checkpoint, sign_checkpoint
from transparency.entry import Entry, Kind, Opening, current_hour
from transparency.merkle import leaf_hash
from transparency.note import NoteSigner, VerifierKey
from transparency.store import DecisionLog

_PSEUDONYM: Final = b"personhood kiosk pseudonym v1\n"
_OPERATOR: Final = b"operator\0"  # no kiosk's id begins so
_PSEUDONYM_DIGITS: Final = 16


@dataclass(frozen=True)
class Recorded:
    """Where an entry stands.

    Args:
        index: of its leaf.
        leaf_hash: 32 bytes.
    """

    index: int
    leaf_hash: bytes


class Journal:
    """Writes one service's entries.

    Args:
        log: to append to.
        key: 32 secret bytes, the log's Ed25519 private key. Pseudonyms of kiosks are keyed by it.
        origin: the log's name; made of its public key when empty.
        model: what templates are made with, from now on.
        calibration: what thresholds are made with, from now on.
    """

    def __init__(
        self, log: DecisionLog, key: bytes, origin: str = "", model: str = "", calibration: str = ""
    ) -> None:
        self.log = log
        self.model = model
        self.calibration = calibration
        self._signer = log_signer(key, origin)
        self._pseudonym_key = hmac.digest(key, _PSEUDONYM, "sha256")

    @property
    def verifier(self) -> VerifierKey:
        """The key that checkpoints are checked with."""
        return self._signer.verifier

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """The head of the log, or what it was over its first entries.

        Raises:
            LogRangeInvalid: there are not so many.
        """
        if size is None:
            return self.log.checkpoint(self.verifier.name)
        return Checkpoint(self.verifier.name, size, self.log.root(size))

    def sign(self, checkpoint: Checkpoint) -> str:
        """A checkpoint of this log, as a signed note."""
        return sign_checkpoint(checkpoint, self._signer)

    def signed_checkpoint(self) -> str:
        """The head of the log, as a signed note."""
        return self.sign(self.checkpoint())

    def pseudonym(self, kiosk_id: str) -> str:
        """A kiosk's name in the log: whoever has the key can tell which it is."""
        return self._pseudonym(kiosk_id.encode())

    def operator_pseudonym(self, name: str) -> str:
        """An operator's name in reports and metrics: whoever has the key can tell who it is."""
        return self._pseudonym(_OPERATOR + name.encode())

    def entry(
        self,
        kind: Kind,
        *,
        reason: str | None = None,
        kiosk: str = "",
        hour: int | None = None,
        opening: Opening | None = None,
    ) -> Entry:
        """An entry of this service, as of this hour.

        Args:
            kind: what happened.
            reason: a stable code.
            kiosk: a pseudonym.
            hour: another hour than this.
            opening: of the commitment that it is about.
        """
        return Entry(
            kind=kind,
            reason=reason,
            hour=current_hour() if hour is None else hour,
            kiosk=kiosk,
            model=self.model,
            calibration=self.calibration,
            commitment=opening.digest if opening else None,
        )

    def record(
        self,
        connection: Connection,
        kind: Kind,
        *,
        commitment: int | None = None,
        reason: str | None = None,
        kiosk: str = "",
        hour: int | None = None,
    ) -> Recorded:
        """Append one entry in the caller's transaction.

        Args:
            connection: see `DecisionLog.append`.
            kind: what happened.
            commitment: of an accepted or removed wallet, which the entry then discloses.
            reason: a stable code.
            kiosk: a pseudonym.
            hour: another hour than this.
        """
        opening = None if commitment is None else Opening.draw(commitment)
        entry = self.entry(kind, reason=reason, kiosk=kiosk, hour=hour, opening=opening)
        (index,) = self.log.append(connection, [entry], [opening] if opening else [])
        return Recorded(index, leaf_hash(entry.to_bytes()))

    def record_alone(self, kind: Kind, *, reason: str | None = None, kiosk: str = "") -> None:
        """Append one entry that nothing else is decided with."""
        self.log.append_alone([self.entry(kind, reason=reason, kiosk=kiosk)])

    def announce(self) -> None:
        """Log model and calibration, where they are not those that were logged last."""
        for kind in (Kind.MODEL, Kind.THRESHOLDS):
            last, entry = self.log.last(kind), self.entry(kind)
            known = last is not None and (
                last.model == entry.model
                if kind is Kind.MODEL
                else last.calibration == entry.calibration
            )
            if not known:
                self.log.append_alone([entry])

    def _pseudonym(self, known_as: bytes) -> str:
        digest = hmac.digest(self._pseudonym_key, known_as, "sha256")
        return digest.hex()[:_PSEUDONYM_DIGITS]


def log_signer(key: bytes, origin: str = "") -> NoteSigner:
    """What signs in a log's name.

    Args:
        key: 32 secret bytes.
        origin: the log's name; made of its public key when empty.
    """
    if not origin:
        public = NoteSigner("log", key).verifier.public_key
        origin = f"personhood.local/{hashlib.sha256(public).hexdigest()[:16]}"
    return NoteSigner(origin, key)
