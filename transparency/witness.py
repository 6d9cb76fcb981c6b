"""Witnesses: who cosigns a log's checkpoints once seen to continue the last: c2sp.org/tlog-witness.

A log that shows one history to some and another to others needs two checkpoints of one size. A
witness cosigns only one, so that whoever asks for its cosignature sees what all others see.
"""

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from transparency.checkpoint import Checkpoint, add_cosignature, open_checkpoint
from transparency.errors import (
    CheckpointInvalid,
    NoteInvalid,
    ProofInvalid,
    TransparencyError,
    WitnessRefused,
)
from transparency.files import write_durably
from transparency.merkle import verify_consistency
from transparency.note import NoteSigner, VerifierKey, split_note

TIMEOUT: Final = 30.0  # seconds
MAX_REQUEST: Final = 1 << 16  # bytes

_MAX_PROOF: Final = 63
_SIZE: Final = "text/x.tlog.size"


@dataclass(frozen=True)
class WitnessAnswer:
    """What a witness answers over HTTP."""

    status: HTTPStatus
    body: str = ""
    media_type: str = "text/plain"


class Witness:
    """Cosigns the checkpoints of one log; one request at a time.

    Args:
        log: the key of the log.
        signer: with a key of its own, of the kind `COSIGNATURE`.
        path: where the last checkpoint that it cosigned is kept.
    """

    def __init__(self, log: VerifierKey, signer: NoteSigner, path: Path) -> None:
        self._log = log
        self._signer = signer
        self._path = path
        self._lock = threading.Lock()

    @property
    def verifier(self) -> VerifierKey:
        """The key that its cosignatures are checked with."""
        return self._signer.verifier

    def add_checkpoint(self, request: str) -> WitnessAnswer:
        """Answer `POST /add-checkpoint`: an old size, a proof, an empty line, a checkpoint."""
        with self._lock:
            try:
                old, proof, note = _parse(request)
                if Checkpoint.of_note(note).origin != self._log.name:
                    return WitnessAnswer(HTTPStatus.NOT_FOUND)
            except (ValueError, TransparencyError):
                return WitnessAnswer(HTTPStatus.BAD_REQUEST)
            try:
                checkpoint = open_checkpoint(note, self._log).checkpoint
            except (NoteInvalid, CheckpointInvalid):
                return WitnessAnswer(HTTPStatus.FORBIDDEN)
            return self._cosign(old, proof, checkpoint)

    def _cosign(self, old: int, proof: list[bytes], checkpoint: Checkpoint) -> WitnessAnswer:
        last = self._last()
        if old > checkpoint.size:
            return WitnessAnswer(HTTPStatus.BAD_REQUEST)
        known = last.size if last else 0
        same = last is not None and (last.size, last.root) == (checkpoint.size, checkpoint.root)
        if old != known or (old == checkpoint.size and last is not None and not same):
            return WitnessAnswer(HTTPStatus.CONFLICT, f"{known}\n", _SIZE)
        try:
            root = last.root if last else b""
            if old:
                verify_consistency(old, checkpoint.size, proof, root, checkpoint.root)
            elif proof:
                return WitnessAnswer(HTTPStatus.UNPROCESSABLE_ENTITY)
        except ProofInvalid:
            return WitnessAnswer(HTTPStatus.UNPROCESSABLE_ENTITY)
        write_durably(self._path, checkpoint.text)
        return WitnessAnswer(HTTPStatus.OK, self._signer.sign(checkpoint.text))

    def _last(self) -> Checkpoint | None:
        return Checkpoint.from_text(self._path.read_text()) if self._path.exists() else None


def have_cosigned(
    note: str, url: str, witness: VerifierKey, prove: Callable[[int, int], list[bytes]]
) -> str:
    """Have a witness cosign a checkpoint.

    Args:
        note: signed by the log.
        url: the witness's submission prefix.
        witness: its key.
        prove: gives a consistency proof between two sizes of the log.

    Returns:
        The note, with the witness's cosignature.

    Raises:
        WitnessRefused: it does not answer, or does not cosign.
    """
    size = Checkpoint.of_note(note).size
    answer = _post(url, 0, [], note)
    if answer.status_code == HTTPStatus.CONFLICT:
        old = answer.text.strip()
        if not old.isdecimal() or not 0 < int(old) <= size:
            raise WitnessRefused(f"{witness.name} holds a checkpoint that this log is not at")
        answer = _post(url, int(old), prove(int(old), size), note)
    if answer.status_code != HTTPStatus.OK:
        raise WitnessRefused(f"{witness.name} does not cosign: it answers {answer.status_code}")
    try:
        return add_cosignature(note, note + answer.text, witness)
    except NoteInvalid as wrong:
        raise WitnessRefused(f"{witness.name} cosigned something else: {wrong}") from wrong


def _post(url: str, old: int, proof: list[bytes], note: str) -> httpx.Response:
    lines = "".join(f"{base64.b64encode(part).decode()}\n" for part in proof)
    body = f"old {old}\n{lines}\n{note}"
    try:
        return httpx.post(f"{url.rstrip('/')}/add-checkpoint", content=body, timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as lost:
        raise WitnessRefused(f"no witness answers at {url}") from lost


def _parse(request: str) -> tuple[int, list[bytes], str]:
    """The old size, the proof and the checkpoint of a request; ValueError where it is none."""
    head, gap, note = request.partition("\n\n")
    first, *lines = head.split("\n")
    word, _, size = first.partition(" ")
    split_note(note)
    if not gap or word != "old" or str(int(size)) != size or len(lines) > _MAX_PROOF:
        raise ValueError("no request to a witness")
    return int(size), [base64.b64decode(line, validate=True) for line in lines], note
