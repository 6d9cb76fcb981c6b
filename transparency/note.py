"""Signed notes and verifier keys: c2sp.org/signed-note, with Ed25519.

A note is a text, an empty line, and a line for each signature:

    — <key name> base64(key id || signature)

The key id is the first four bytes of SHA-256(name || newline || type || public key). Type 1 signs
the text itself; type 4 is a witness's cosignature, which signs the time and the text.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from transparency.errors import LogKeyInvalid, NoteInvalid

ED25519: Final = 1
COSIGNATURE: Final = 4

MAX_NOTE_BYTES: Final = 1 << 20
MAX_SIGNATURES: Final = 100

_DASH: Final = "\u2014 "
_ID_BYTES: Final = 4
_SIGNATURE_BYTES: Final = {ED25519: 64, COSIGNATURE: 8 + 64}


@dataclass(frozen=True)
class VerifierKey:
    """Whose signature counts, and of which kind.

    Args:
        name: without white space and plus signs; by convention a URL without scheme.
        kind: `ED25519` or `COSIGNATURE`.
        public_key: 32 bytes.
    """

    name: str
    kind: int
    public_key: bytes

    def __post_init__(self) -> None:
        require_name(self.name)
        if self.kind not in _SIGNATURE_BYTES:
            raise LogKeyInvalid(f"signatures of type {self.kind} are not known here")
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key)
        except ValueError:
            raise LogKeyInvalid(f"the key of {self.name} is not one of Ed25519") from None

    @property
    def id(self) -> bytes:
        """4 bytes that are in each of its signatures."""
        encoded = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key
        return hashlib.sha256(encoded).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as people hand it on: name+id+base64."""
        material = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.id.hex()}+{material}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a key that somebody handed on.

        Raises:
            LogKeyInvalid: it is none, or its id is not its own.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, material = rest.partition("+")
        decoded = _from_base64(material)
        if decoded is None or len(decoded) != 33:
            raise LogKeyInvalid(
                "a verifier key is name+id+base64 with an Ed25519 key: copy it whole"
            )
        key = cls(name, decoded[0], decoded[1:])
        if key_id != key.id.hex():
            raise LogKeyInvalid("a verifier key's id does not fit its name and key: copy it whole")
        return key

    def verify(self, text: str, signature: bytes) -> None:
        """Check a signature over the text of a note.

        Raises:
            NoteInvalid: this key did not make it.
        """
        message = text.encode()
        try:
            if self.kind == COSIGNATURE:
                message = _cosigned(text, int.from_bytes(signature[:8]))
            public_key = Ed25519PublicKey.from_public_bytes(self.public_key)
            public_key.verify(signature[-64:], message)
        except InvalidSignature:
            raise NoteInvalid(f"the note's signature of {self.name} does not hold") from None


class NoteSigner:
    """Signs notes.

    Args:
        name: see `VerifierKey`.
        seed: 32 secret bytes, an Ed25519 private key.
        kind: `ED25519` for a log, `COSIGNATURE` for a witness.
    """

    def __init__(self, name: str, seed: bytes, kind: int = ED25519) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, kind, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A signature line over the text of a note, with its newline; of a witness, as of now."""
        signature = b""
        if self.verifier.kind == COSIGNATURE:
            now = int(time.time())
            signature = now.to_bytes(8) + self._key.sign(_cosigned(text, now))
        else:
            signature = self._key.sign(text.encode())
        encoded = base64.b64encode(self.verifier.id + signature).decode()
        return f"{_DASH}{self.verifier.name} {encoded}\n"


@dataclass(frozen=True)
class Signature:
    """A signature line, not checked yet."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def timestamp(self) -> int:
        """Unix seconds at which a witness signed; of a `COSIGNATURE` alone."""
        return int.from_bytes(self.signature[:8])


def make_note(text: str, *signers: NoteSigner) -> str:
    """Sign a text.

    Raises:
        NoteInvalid: it does not end a line, or holds control characters.
    """
    if not text.endswith("\n") or _has_control_characters(text):
        raise NoteInvalid("the text of a note consists of whole lines without control characters")
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def split_note(note: str) -> tuple[str, list[Signature]]:
    """The text of a note and its signatures, none of which was checked.

    Raises:
        NoteInvalid: it is no note.
    """
    text, gap, lines = note.rpartition("\n\n")
    text += "\n"
    if not gap or not lines.endswith("\n") or _has_control_characters(note):
        raise NoteInvalid("this is no signed note: a text, an empty line, and signatures")
    if len(note.encode()) > MAX_NOTE_BYTES or lines.count("\n") > MAX_SIGNATURES:
        raise NoteInvalid("the signed note is too long")
    return text, [_parse_line(line) for line in lines[:-1].split("\n")]


def open_note(note: str, *keys: VerifierKey) -> tuple[str, dict[VerifierKey, Signature]]:
    """The text of a note and the signatures of known keys, each of which holds.

    Signatures of unknown keys are passed over; of a known key the first counts.

    Raises:
        NoteInvalid: it is no note, a known key's signature does not hold, or there is none.
    """
    text, signatures = split_note(note)
    found: dict[VerifierKey, Signature] = {}
    for key, signature in _of(keys, signatures):
        if key not in found:
            key.verify(text, signature.signature)
            found[key] = signature
    if not found:
        names = ", ".join(key.name for key in keys)
        raise NoteInvalid(f"the note is not signed by {names}")
    return text, found


def require_name(name: str) -> None:
    """Refuse what cannot be a key's name.

    Raises:
        LogKeyInvalid: it is empty, or has white space or a plus sign.
    """
    if (
        not name
        or "+" in name
        or any(letter.isspace() for letter in name)
        or not name.isprintable()
    ):
        raise LogKeyInvalid(
            "a key's name is not empty, and has neither white space nor a plus sign"
        )


def _of(
    keys: Iterable[VerifierKey], signatures: Iterable[Signature]
) -> Iterator[tuple[VerifierKey, Signature]]:
    known = {(key.name, key.id): key for key in keys}
    for signature in signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if len(signature.signature) != _SIGNATURE_BYTES[key.kind]:
            raise NoteInvalid(f"the note's signature of {key.name} has not its length")
        yield key, signature


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    decoded = _from_base64(encoded)
    if not line.startswith(_DASH) or not name or decoded is None or len(decoded) <= _ID_BYTES:
        raise NoteInvalid("a signature line of the note is malformed")
    return Signature(name, decoded[:_ID_BYTES], decoded[_ID_BYTES:])


def _cosigned(text: str, timestamp: int) -> bytes:
    """What a witness signs: c2sp.org/tlog-cosignature."""
    if timestamp >= 1 << 63:
        raise InvalidSignature
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _from_base64(text: str) -> bytes | None:
    """Decode the one encoding that RFC 4648, section 4, gives to some bytes."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None


def _has_control_characters(text: str) -> bool:
    return any(letter < " " and letter != "\n" for letter in text)
