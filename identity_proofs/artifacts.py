"""The circuit's files (witness program, proving key, verification key), trusted by digest.

They are those of the Semaphore v4 ceremony, in the npm package `@zk-kit/semaphore-artifacts`.
"""

import gzip
import hashlib
import json
import lzma
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO

from identity_proofs.errors import (
    ArtifactDigestMismatch,
    ArtifactInvalid,
    ArtifactsMissing,
    ArtifactsUnwritable,
)
from identity_proofs.proof import MAX_DEPTH, MIN_DEPTH
from identity_proofs.verification_key import DEFAULT_DEPTH, VerificationKey

_SUFFIXES = ("wasm", "zkey", "json")
_MAX_BYTES = 64 << 20  # the largest file has 5 MB; a wrong archive is not read into memory whole

# zipfile raises RuntimeError for an encrypted archive or an unknown compression.
_ARCHIVE_ERRORS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    RuntimeError,
)

Reader = Callable[[str], bytes]


@dataclass(frozen=True)
class Artifacts:
    """The files of one depth. What is read through it has the pinned digest."""

    depth: int
    wasm_path: Path
    zkey_path: Path
    verification_key: VerificationKey

    def read_wasm(self) -> bytes:
        """Read the witness program. Raises `ArtifactsMissing` or `ArtifactDigestMismatch`."""
        return _read_checked(self.wasm_path)

    def read_zkey(self) -> bytes:
        """Read the proving key. Raises `ArtifactsMissing` or `ArtifactDigestMismatch`."""
        return _read_checked(self.zkey_path)


def install_artifacts(source: Path, cache: Path, depth: int = DEFAULT_DEPTH) -> Artifacts:
    """Copy one depth's three files from `source` into the directory `cache`.

    `source` is the installed npm package's directory, or a .tgz or .zip archive of it. Each file
    is replaced at once, after its digest was checked. Raises `ArtifactsMissing` if `source` lacks
    a file, `ArtifactDigestMismatch` for a wrong one, `ArtifactInvalid` for an unreadable archive,
    `ArtifactsUnwritable` if `cache` cannot be written.
    """
    names = _names(depth)
    with _open_source(source) as read:
        contents = {name: _check_digest(name, read(name)) for name in names}
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _write_atomically(cache / name, content)
    except OSError as error:
        raise ArtifactsUnwritable(
            f"{cache} cannot be written ({error.strerror}); make room or name another cache."
        ) from error
    return load_artifacts(cache, depth)


def load_artifacts(cache: Path, depth: int = DEFAULT_DEPTH) -> Artifacts:
    """Find one depth's files in the directory `cache` and check their digests.

    Raises `ArtifactsMissing` or `ArtifactDigestMismatch`.
    """
    wasm, zkey, key = (cache / name for name in _names(depth))
    verification_key = VerificationKey.from_json(_read_checked(key), depth)
    artifacts = Artifacts(depth, wasm, zkey, verification_key)
    artifacts.read_wasm()
    artifacts.read_zkey()
    return artifacts


@cache
def _digests() -> dict[str, str]:
    source = resources.files(__package__) / "artifact_digests.json"
    digests: dict[str, str] = json.loads(source.read_text("utf-8"))["sha256"]
    return digests


def _names(depth: int) -> tuple[str, ...]:
    if not MIN_DEPTH <= depth <= MAX_DEPTH:
        raise ArtifactsMissing(f"There are circuits for depths {MIN_DEPTH} to {MAX_DEPTH} only.")
    return tuple(f"semaphore-{depth}.{suffix}" for suffix in _SUFFIXES)


def _read_checked(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactsMissing(
            f"{path.name} cannot be read from {path.parent}; run `personhood artifacts install`."
        ) from error
    return _check_digest(path.name, content)


def _check_digest(name: str, content: bytes) -> bytes:
    if hashlib.sha256(content).hexdigest() != _digests()[name]:
        raise ArtifactDigestMismatch(
            f"{name} is not the file of the official ceremony (SHA-256 differs); "
            "run `personhood artifacts install` with @zk-kit/semaphore-artifacts 4.13.0."
        )
    return content


@contextmanager
def _open_source(source: Path) -> Iterator[Reader]:
    """Yield a function that reads a file of the package by its name."""
    try:
        if source.is_dir():
            yield lambda name: (source / name).read_bytes()
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                members = {Path(name).name: name for name in archive.namelist()}
                yield lambda name: _read_limited(archive.open(members[name]))
        else:
            with tarfile.open(source) as tape:
                entries = {Path(entry.name).name: entry for entry in tape if entry.isfile()}
                yield lambda name: _read_limited(tape.extractfile(entries[name]))
    except _ARCHIVE_ERRORS as error:
        raise ArtifactInvalid(f"{source} is damaged, or neither a .tgz nor a .zip.") from error
    except (FileNotFoundError, KeyError) as error:
        raise ArtifactsMissing(
            f"{source} does not hold the files of this depth: give the directory or archive of "
            "@zk-kit/semaphore-artifacts 4.13.0 to `personhood artifacts install`."
        ) from error
    except OSError as error:
        raise ArtifactsMissing(f"{source} cannot be read ({error.strerror}).") from error


def _read_limited(file: IO[bytes] | None) -> bytes:
    if file is None:
        raise KeyError("not a regular file")
    with file:
        return file.read(_MAX_BYTES)


def _write_atomically(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink()
            raise
