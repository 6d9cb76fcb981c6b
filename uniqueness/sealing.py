"""Templates at rest: AES-256-GCM (NIST SP 800-38D), a fresh 96-bit nonce for every record.

The associated data binds a record to its id and model, so that a ciphertext moved to another
row, or relabelled as another model's, does not open.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uniqueness.errors import InvalidKey, RecordCorrupted, WrongKey

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True)
class SealedRecord:
    """A record as the database holds it."""

    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class Sealer:
    """Seals and opens records under one key.

    Args:
        key: 32 random bytes.

    Raises:
        InvalidKey: another length.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise InvalidKey(f"the template key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)
        # Names the key without telling it: tells a wrong key from a damaged record.
        self.key_id = hashlib.sha256(b"personhood template key id" + key).hexdigest()[:16]

    def seal(self, plaintext: bytes, *, record_id: str, model: str) -> SealedRecord:
        """Encrypt and authenticate a record."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        associated = _associated_data(record_id, model)
        return SealedRecord(self.key_id, nonce, self._cipher.encrypt(nonce, plaintext, associated))

    def open(self, record: SealedRecord, *, record_id: str, model: str) -> bytes:
        """Authenticate and decrypt a record.

        Raises:
            WrongKey: it was sealed with another key.
            RecordCorrupted: it, its id or its model is not what was sealed.
        """
        if record.key_id != self.key_id:
            raise WrongKey(
                "the gallery was sealed with another template key: give the key that it was "
                "made with; without it the templates cannot be read"
            )
        try:
            associated = _associated_data(record_id, model)
            return self._cipher.decrypt(record.nonce, record.ciphertext, associated)
        except InvalidTag:
            raise RecordCorrupted(
                "a stored template was changed after it was sealed: restore the database from a "
                "backup"
            ) from None


def load_or_create_key(path: Path) -> bytes:
    """Read a key file, or create it for the owner alone (mode 0600).

    Raises:
        InvalidKey: the file is not 32 bytes, cannot be read, or others may read it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create_key(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise InvalidKey(f"the key file {path} cannot be made: {error.strerror}") from error
    return _read_key(path)


def _create_key(path: Path) -> None:
    # Complete before it has its name: a crash leaves no half key, a second process no other key.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()


def _read_key(path: Path) -> bytes:
    try:
        mode, key = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise InvalidKey(f"the key file {path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise InvalidKey(f"others may read the key file: run chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise InvalidKey(f"the key file {path} has {len(key)} bytes and not {KEY_BYTES}")
    return key


def _associated_data(record_id: str, model: str) -> bytes:
    return f"personhood template\0{record_id}\0{model}".encode()
