"""Take the artifacts' files out of the npm package's directory or archive, and write them.

Apart from `artifacts.py`, whose users mostly read: a proof need not import what reads archives.
"""

import gzip
import lzma
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from identity_proofs.errors import ArtifactInvalid, ArtifactsMissing

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


@contextmanager
def open_source(source: Path) -> Iterator[Reader]:
    """Yield a function that reads a file of the package by its name.

    Inside, a missing file raises `ArtifactsMissing`, an unreadable archive `ArtifactInvalid`.
    """
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


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at once. Raises `OSError`."""
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
