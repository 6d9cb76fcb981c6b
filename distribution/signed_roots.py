"""What an attester signed, on disk before the signature leaves it: one root after each."""

import json
from pathlib import Path

from distribution.attestation import RootUpdate
from distribution.errors import AlreadySigned, AttesterKeyInvalid
from distribution.proposal import parse_update, update_fields
from transparency.files import append_durably


class SignedRoots:
    """The updates that one attester signed, by the root that each starts from.

    Args:
        path: a file of one registry alone, an update a line; made by the first.

    Raises:
        AttesterKeyInvalid: the file is damaged: without it the attester must not sign.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signed: dict[int, RootUpdate] = {}
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        self._end = 0
        for line in lines:
            if not line.endswith(b"\n"):
                break  # of a crash before it was signed
            try:
                update = parse_update(json.loads(line))
            except (ValueError, TypeError, KeyError) as damaged:
                raise AttesterKeyInvalid(f"{path} is damaged: restore it") from damaged
            self._signed[update.previous_root] = update
            self._end += len(line)

    def require_free(self, update: RootUpdate) -> None:
        """Refuse an update where another root was signed.

        Raises:
            AlreadySigned: one was.
        """
        before = self._signed.get(update.previous_root)
        if before is not None and before.root != update.root:
            raise AlreadySigned("another root that follows on this one was signed before", before)

    def remember(self, update: RootUpdate) -> None:
        """Write down what is about to be signed, durably.

        Raises:
            AlreadySigned: another root was signed in its place.
        """
        self.require_free(update)
        if update.previous_root in self._signed:
            return
        line = json.dumps(update_fields(update)).encode() + b"\n"
        append_durably(self._path, self._end, line)
        self._end += len(line)
        self._signed[update.previous_root] = update
