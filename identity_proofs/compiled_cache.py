"""Keep compiled programs on disk, where nobody but their user can write.

A compiled program is machine code: whoever writes it, runs it. A file is used only if its
directory and the file itself belong to this user, nobody else may write to either, neither is a
link, and its content has the SHA-256 digest that it carries. The name tells program, library
version and settings, so another version never meets it. Nothing protects from the user's own
account or from root: whoever has that can replace the library itself.
"""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

_DIGEST_BYTES = 32
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class CompiledCache:
    """Files in one directory, which is made with mode 0700 on the first write.

    What cannot be trusted or read is as if it were not there; what cannot be written is not kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> bytes | None:
        """Return what was put under `name`, whole and unchanged, or None."""
        try:
            content = self._read(name)
        except OSError:
            return None
        digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return data if digest == _digest(name, data) else None

    def put(self, name: str, data: bytes | bytearray) -> None:
        """Keep `data` under `name`, replacing at once what is there."""
        import tempfile  # takes 5 ms, and a warm cache needs none

        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not _is_private(self._directory.lstat()):
                return
            with tempfile.NamedTemporaryFile(dir=self._directory, delete=False) as file:
                temporary = Path(file.name)
                try:
                    file.write(_digest(name, data) + data)
                    file.flush()
                    os.fsync(file.fileno())
                    temporary.replace(self._directory / name)
                except BaseException:
                    temporary.unlink()
                    raise

    def _read(self, name: str) -> bytes:
        """Read a file through its opened directory, so that neither is exchanged after a look."""
        if os.open not in os.supports_dir_fd:
            raise OSError("this system does not tell whom a directory belongs to")
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
            with os.fdopen(file, "rb") as stream:
                for opened in (directory, file):
                    if not _is_private(os.fstat(opened)):
                        raise PermissionError("others may write here")
                return stream.read()
        finally:
            os.close(directory)


def _is_private(status: os.stat_result) -> bool:
    """Whether it is a directory or a file, no link, that only this user may change."""
    kind_is_right = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    return (
        kind_is_right and status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE
    )


def _digest(name: str, data: bytes | bytearray) -> bytes:
    state = hashlib.sha256(name.encode() + b"\0")
    state.update(data)
    return state.digest()
