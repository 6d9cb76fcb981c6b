"""Checkpoints: c2sp.org/tlog-checkpoint, signed by the log and cosigned by witnesses.

    <origin>
    <number of leaves>
    <base64 of the root>

Whoever holds one can tell later whether an entry was changed or dropped since.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from transparency.errors import CheckpointInvalid, NoteInvalid
from transparency.merkle import HASH_BYTES
from transparency.note import (
    COSIGNATURE,
    NoteSigner,
    Signature,
    VerifierKey,
    make_note,
    open_note,
    split_note,
)

_LARGEST: Final = 1 << 63


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log.

    Args:
        origin: the log's name.
        size: leaves.
        root: 32 bytes, over all of them.
        extensions: further lines; ours has none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of its note.

        Raises:
            CheckpointInvalid: a line would be empty, or two.
        """
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode())
        everything = (*lines, *self.extensions)
        if any(not line or "\n" in line for line in everything):
            raise CheckpointInvalid("a line of a checkpoint is not empty, and one line")
        return "".join(f"{line}\n" for line in everything)

    @property
    def digest(self) -> bytes:
        """SHA-256 of its text: what attesters put on the chain with a root."""
        return hashlib.sha256(self.text.encode()).digest()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text of a note.

        Raises:
            CheckpointInvalid: it is no checkpoint.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise CheckpointInvalid("a checkpoint has three lines: origin, size, root")
        origin, size, root, *extensions = lines[:-1]
        decoded = _root(root)
        number = int(size) if size.isascii() and size.isdecimal() and len(size) < 20 else -1
        if str(number) != size or number >= _LARGEST or decoded is None:
            raise CheckpointInvalid("a checkpoint's size or root is malformed")
        return cls(origin, number, decoded, tuple(extensions))

    @classmethod
    def of_note(cls, note: str) -> Self:
        """What a note says, whoever signed it.

        Raises:
            NoteInvalid, CheckpointInvalid: it is no note, or no checkpoint.
        """
        return cls.from_text(split_note(note)[0])


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint with the log's signature, which holds.

    Args:
        checkpoint: what the note says.
        note: whole, with every signature.
        witnesses: who cosigned it, of those who were asked for, and when (Unix seconds).
    """

    checkpoint: Checkpoint
    note: str
    witnesses: dict[VerifierKey, int]


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> str:
    """A note with the log's signature."""
    return make_note(checkpoint.text, signer)


def open_checkpoint(
    note: str, log: VerifierKey, *, witnesses: Sequence[VerifierKey] = (), quorum: int = 0
) -> SignedCheckpoint:
    """Check a checkpoint's signatures.

    Args:
        note: from whomever.
        log: the log's key, whose name is the checkpoint's origin.
        witnesses: whose cosignatures count.
        quorum: how many of them it takes.

    Raises:
        NoteInvalid: the log did not sign it, a signature does not hold, or too few cosigned it.
        CheckpointInvalid: it is no checkpoint, or of another log.
    """
    text, signatures = open_note(note, log, *witnesses)
    if log not in signatures:
        raise NoteInvalid(f"the checkpoint is not signed by {log.name}")
    checkpoint = Checkpoint.from_text(text)
    if checkpoint.origin != log.name:
        raise CheckpointInvalid("the checkpoint is of another log")
    cosigned = {key: signature.timestamp for key, signature in signatures.items() if key != log}
    if len(cosigned) < quorum:
        raise NoteInvalid(f"{len(cosigned)} of the {quorum} witnesses cosigned the checkpoint")
    return SignedCheckpoint(checkpoint, note, cosigned)


def cosign(note: str, log: VerifierKey, witness: NoteSigner) -> str:
    """Add a witness's cosignature to a checkpoint that the log signed.

    A witness checks before that the checkpoint is consistent with the last one it cosigned.

    Raises:
        NoteInvalid, CheckpointInvalid: see `open_checkpoint`.
    """
    open_checkpoint(note, log)
    text, _ = split_note(note)
    return note + witness.sign(text)


def add_cosignature(note: str, cosigned: str, witness: VerifierKey) -> str:
    """Add to a note the cosignature that a witness sent with its own copy of it.

    Raises:
        NoteInvalid: the copy has another text, or no cosignature of this witness that holds.
    """
    text, _ = split_note(note)
    theirs, signatures = open_note(cosigned, witness)
    if theirs != text or witness.kind != COSIGNATURE:
        raise NoteInvalid(f"{witness.name} cosigned another checkpoint")
    line = _line(witness, signatures[witness])
    return note if line in note else note + line


def _line(key: VerifierKey, signature: Signature) -> str:
    encoded = base64.b64encode(key.id + signature.signature).decode()
    return f"\u2014 {key.name} {encoded}\n"


def _root(text: str) -> bytes | None:
    try:
        root = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return root if len(root) == HASH_BYTES and base64.b64encode(root).decode() == text else None
