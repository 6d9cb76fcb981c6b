"""Records at rest: AES-256-GCM (NIST SP 800-38D), a fresh random 96-bit nonce for every record.

Each record names its key by an id and is bound to a context, the caller's own words for what and
where it is: a ciphertext moved to another row, or relabelled as another model's, does not open.
Random nonces are safe for 2^32 records under one key (section 8.3 of the standard); a key is
retired long before, see `uniqueness.rotation`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from uniqueness.errors import InvalidKey, RecordCorrupted, WrongKey

KEY_BYTES = 32
MAX_RECORDS_PER_KEY = 2**32
_NONCE_BYTES = 12


@dataclass(frozen=True)
class SealedRecord:
    """A record as the database holds it."""

    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True)
class _Key:
    """One key, its id and its cipher."""

    key_id: str
    material: bytes = field(repr=False)
    cipher: AESGCM = field(repr=False)

    @classmethod
    def of(cls, material: bytes) -> Self:
        if len(material) != KEY_BYTES:
            raise InvalidKey(f"a template key has {KEY_BYTES} bytes, not {len(material)}")
        return cls(key_id_of(material), material, AESGCM(material))


class Keyring:
    """Seals with the active key; opens with whichever of its keys a record names.

    Safe for use from several threads.

    Args:
        active: 32 random bytes.
        retired: keys that seal nothing any more, of records that still wait to be sealed anew.

    Raises:
        InvalidKey: a key of another length.
    """

    def __init__(self, active: bytes, retired: Sequence[bytes] = ()) -> None:
        self._hold(active, retired)

    @property
    def key_id(self) -> str:
        """The active key's id: names it without telling it."""
        return self._active.key_id

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of all keys, the active one first."""
        return tuple(self._keys)

    def seal(self, plaintext: bytes, *, context: bytes) -> SealedRecord:
        """Encrypt and authenticate a record under the active key, bound to its context."""
        active = self._active
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return SealedRecord(active.key_id, nonce, active.cipher.encrypt(nonce, plaintext, context))

    def open(self, record: SealedRecord, *, context: bytes) -> bytes:
        """Authenticate and decrypt a record.

        Raises:
            WrongKey: it was sealed with a key that is not here; the message names its id.
            RecordCorrupted: it or its context is not what was sealed.
        """
        try:
            return self._key(record.key_id).cipher.decrypt(record.nonce, record.ciphertext, context)
        except InvalidTag:
            raise RecordCorrupted(
                "a stored record was changed after it was sealed: restore the database from a "
                "backup"
            ) from None

    def derive(self, key_id: str, *, salt: bytes, purpose: bytes) -> bytes:
        """Derive 32 bytes from one of the keys, for one purpose (HKDF-SHA256, RFC 5869).

        Raises:
            WrongKey: there is no such key here.
        """
        return HKDF(SHA256(), KEY_BYTES, salt, purpose).derive(self._key(key_id).material)

    def _hold(self, active: bytes, retired: Sequence[bytes]) -> None:
        keys = [_Key.of(material) for material in (active, *retired)]
        self._keys = {key.key_id: key for key in keys}
        self._active = keys[0]

    def _key(self, key_id: str) -> _Key:
        key = self._keys.get(key_id)
        if key is None:
            raise WrongKey(
                f"the gallery was sealed with another template key: give the key {key_id}, as the "
                "template key or as a retired one; without it the records cannot be read"
            )
        return key


def key_id_of(key: bytes) -> str:
    """Name a key without telling it: tells a wrong key from a damaged record."""
    return hashlib.sha256(b"personhood template key id" + key).hexdigest()[:16]
