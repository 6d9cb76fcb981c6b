"""The circuit's files (witness program, proving key, verification key), trusted by digest.

They are those of the Semaphore v4 ceremony, in the npm package `@zk-kit/semaphore-artifacts`.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from identity_proofs.errors import (
    ArtifactDigestMismatch,
    ArtifactsMissing,
    ArtifactsUnwritable,
)
from identity_proofs.proof import MAX_DEPTH, MIN_DEPTH
from identity_proofs.verification_key import DEFAULT_DEPTH, VerificationKey

_SUFFIXES = ("wasm", "zkey", "json")


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

    @property
    def zkey_digest(self) -> str:
        """The proving key's pinned SHA-256, hexadecimal."""
        return _digests()[self.zkey_path.name]


def install_artifacts(source: Path, cache: Path, depth: int = DEFAULT_DEPTH) -> Artifacts:
    """Copy one depth's three files from `source` into the directory `cache`.

    `source` is the installed npm package's directory, or a .tgz or .zip archive of it. Each file
    is replaced at once, after its digest was checked. Raises `ArtifactsMissing` if `source` lacks
    a file, `ArtifactDigestMismatch` for a wrong one, `ArtifactInvalid` for an unreadable archive,
    `ArtifactsUnwritable` if `cache` cannot be written.
    """
    # Here, since a proof needs no archives: their modules take 10 ms to import.
    from identity_proofs.artifact_files import open_source, write_atomically

    names = _names(depth)
    with open_source(source) as read:
        contents = {name: _check_digest(name, read(name)) for name in names}
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(cache / name, content)
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
    source = Path(__file__).with_name("artifact_digests.json")
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
