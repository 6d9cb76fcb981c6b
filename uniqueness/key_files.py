"""Keys in files, each readable by its owner alone (mode 0600).

    template.key                  the active key
    template.key.retired/<id>     keys that were active before, by their ids

A rotation replaces them while services run: these notice by the file's inode.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uniqueness.errors import InvalidKey, WrongKey
from uniqueness.files import sync_directory
from uniqueness.sealing import KEY_BYTES, Keyring, SealedRecord, key_id_of


class KeyFiles(Keyring):
    """A keyring that follows its files: what is sealed is sealed with the key active now.

    Args:
        path: the active key's file; made if absent.

    Raises:
        InvalidKey: a file is not 32 bytes, cannot be read, or others may read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        load_or_create_key(path)
        self._read()

    @property
    def retired_directory(self) -> Path:
        """Where the retired keys lie."""
        return self.path.with_name(f"{self.path.name}.retired")

    @property
    def key_ids(self) -> tuple[str, ...]:
        """See `Keyring.key_ids`."""
        self._follow()
        return super().key_ids

    def seal(self, plaintext: bytes, *, context: bytes) -> SealedRecord:
        """See `Keyring.seal`."""
        self._follow()
        return super().seal(plaintext, context=context)

    def open(self, record: SealedRecord, *, context: bytes) -> bytes:
        """See `Keyring.open`."""
        try:
            return super().open(record, context=context)
        except WrongKey:
            self._read()
            return super().open(record, context=context)

    def replace_active(self) -> None:
        """Make a new active key and retire the one that was active.

        At every moment, also of a crash, all keys can be read: the old one is retired first,
        under a second name, and the new file then takes its name in one step.
        """
        directory = self.retired_directory
        directory.mkdir(mode=0o700, exist_ok=True)
        with _locked(directory):
            self._read()
            retired = directory / self.key_id
            if not retired.exists():
                retired.hardlink_to(self.path)
                sync_directory(directory)
            draft = self.path.with_name(f"{self.path.name}.new")
            draft.unlink(missing_ok=True)  # of a rotation that crashed; sealed nothing
            _write_key(draft)
            draft.rename(self.path)
            sync_directory(self.path.parent)
            self._read()

    def _follow(self) -> None:
        if self._version != _version(self.path):
            self._read()

    def _read(self) -> None:
        # The version first: a key that is replaced meanwhile is noticed at the next seal.
        self._version = _version(self.path)
        active = _read_key(self.path)
        directory = self.retired_directory
        files = sorted(directory.iterdir()) if directory.is_dir() else []
        self._hold(active, [_read_retired(file) for file in files])


def load_or_create_key(path: Path) -> bytes:
    """Read a key file, or create it.

    Raises:
        InvalidKey: the file is not 32 bytes, cannot be read, or others may read it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create_key(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise InvalidKey(f"the key file {path} cannot be made: {error.strerror}") from error
    return _read_key(path)


def _create_key(path: Path) -> None:
    # Complete before it has its name: a crash leaves no half key, a second process no other key.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    _write_key(draft)
    try:
        path.hardlink_to(draft)
        sync_directory(path.parent)
    finally:
        draft.unlink()


def _write_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _read_retired(path: Path) -> bytes:
    key = _read_key(path)
    if key_id_of(key) != path.name:
        raise InvalidKey(f"the key file {path} is not named by its key's id {key_id_of(key)}")
    return key


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


def _version(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise InvalidKey(f"the key file {path} cannot be read: {error.strerror}") from error
    return status.st_ino, status.st_mtime_ns


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One rotation at a time; the kernel lets go of it when its process dies."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
