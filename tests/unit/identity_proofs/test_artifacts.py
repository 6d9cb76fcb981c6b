import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from identity_proofs.artifacts import Artifacts, install_artifacts, load_artifacts
from identity_proofs.errors import (
    ArtifactDigestMismatch,
    ArtifactInvalid,
    ArtifactsMissing,
    ArtifactsUnwritable,
)

DEPTH = 27
NAMES = [f"semaphore-{DEPTH}.{suffix}" for suffix in ("wasm", "zkey", "json")]


@pytest.fixture
def package(artifacts: Artifacts, tmp_path: Path) -> Path:
    """A directory with the files of one depth, as the npm package has them."""
    directory = tmp_path / "package"
    directory.mkdir()
    for name in NAMES:
        shutil.copy(artifacts.wasm_path.with_name(name), directory)
    return directory


def make_tgz(package: Path) -> Path:
    archive = package.with_name("artifacts.tgz")
    with tarfile.open(archive, "w:gz", compresslevel=1) as tape:
        tape.add(package, arcname="package")
    return archive


def make_zip(package: Path) -> Path:
    archive = package.with_name("artifacts.zip")
    with zipfile.ZipFile(archive, "w") as bundle:
        for file in package.iterdir():
            bundle.write(file, f"package/{file.name}")
    return archive


def use_directory(package: Path) -> Path:
    return package


@pytest.mark.parametrize("make_source", [use_directory, make_tgz, make_zip])
def test_install_takes_directory_and_archives(make_source, package: Path) -> None:  # type: ignore[no-untyped-def]
    cache = package.with_name("cache")
    installed = install_artifacts(make_source(package), cache, DEPTH)
    assert installed == load_artifacts(cache, DEPTH)
    assert sorted(file.name for file in cache.iterdir()) == sorted(NAMES)
    assert installed.read_zkey() == (package / f"semaphore-{DEPTH}.zkey").read_bytes()


def test_install_replaces_a_damaged_file(package: Path) -> None:
    cache = package.with_name("cache")
    install_artifacts(package, cache, DEPTH)
    (cache / NAMES[0]).write_bytes(b"half")
    assert install_artifacts(package, cache, DEPTH) == load_artifacts(cache, DEPTH)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_file_is_refused_and_nothing_installed(name: str, package: Path) -> None:
    with (package / name).open("r+b") as file:
        file.seek(100)
        file.write(b"\xff")
    cache = package.with_name("cache")
    with pytest.raises(ArtifactDigestMismatch, match=name) as refusal:
        install_artifacts(package, cache, DEPTH)
    assert refusal.value.code == "artifact_digest_mismatch"
    assert not cache.exists()


def test_source_without_the_depth_is_refused(package: Path) -> None:
    for source in (package, make_tgz(package), make_zip(package), package / "nowhere"):
        with pytest.raises(ArtifactsMissing, match="@zk-kit/semaphore-artifacts"):
            install_artifacts(source, package.with_name("cache"), 20)


def test_source_that_is_no_archive_is_refused(package: Path) -> None:
    archive = package / "artifacts.tgz"
    archive.write_bytes(b"\x1f\x8b no archive")
    with pytest.raises(ArtifactInvalid):
        install_artifacts(archive, package.with_name("cache"), DEPTH)


@pytest.mark.parametrize("cut", [1_000, 1_000_000])
def test_truncated_archive_is_refused(cut: int, package: Path) -> None:
    archive = make_tgz(package)
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(ArtifactInvalid):
        install_artifacts(archive, package.with_name("cache"), DEPTH)


def test_damaged_archive_is_refused(package: Path) -> None:
    archive = make_tgz(package)
    content = bytearray(archive.read_bytes())
    content[5_000:6_000] = bytes(1_000)
    archive.write_bytes(content)
    with pytest.raises((ArtifactInvalid, ArtifactDigestMismatch)):
        install_artifacts(archive, package.with_name("cache"), DEPTH)


@pytest.mark.parametrize("opening", [b"\x1f\x8b\x09", b"\xfd7zXZ\0\0", b"BZh9", b"PK\3\4", b""])
def test_every_kind_of_damaged_archive_is_refused(opening: bytes, package: Path) -> None:
    archive = package / "artifacts"
    archive.write_bytes(opening + bytes(100))
    with pytest.raises(ArtifactInvalid, match="damaged"):
        install_artifacts(archive, package.with_name("cache"), DEPTH)


def test_encrypted_archive_is_refused(package: Path) -> None:
    archive = make_zip(package)
    content = bytearray(archive.read_bytes())
    for header, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = -1
        while (start := content.find(header, start + 1)) >= 0:
            content[start + offset] |= 1  # the flag that says "encrypted"
    archive.write_bytes(content)
    with pytest.raises(ArtifactInvalid):
        install_artifacts(archive, package.with_name("cache"), DEPTH)


def test_source_that_cannot_be_read_says_why(package: Path) -> None:
    (package / NAMES[0]).unlink()
    (package / NAMES[0]).mkdir()
    with pytest.raises(ArtifactsMissing, match="Is a directory"):
        install_artifacts(package, package.with_name("cache"), DEPTH)


def test_cache_that_cannot_be_written_says_why(package: Path) -> None:
    obstacle = package / "file"
    obstacle.touch()
    for cache in (obstacle, obstacle / "cache"):
        with pytest.raises(ArtifactsUnwritable, match="cannot be written"):
            install_artifacts(package, cache, DEPTH)


@pytest.mark.parametrize("name", NAMES)
def test_missing_file_says_what_to_run(name: str, package: Path) -> None:
    cache = package.with_name("cache")
    install_artifacts(package, cache, DEPTH)
    (cache / name).unlink()
    with pytest.raises(ArtifactsMissing, match="run `personhood artifacts install`") as refusal:
        load_artifacts(cache, DEPTH)
    assert refusal.value.code == "artifacts_missing"


@pytest.mark.parametrize("name", NAMES)
def test_changed_file_is_refused_at_load(name: str, package: Path) -> None:
    cache = package.with_name("cache")
    install_artifacts(package, cache, DEPTH)
    (cache / name).write_bytes(b"changed")
    with pytest.raises(ArtifactDigestMismatch, match=name):
        load_artifacts(cache, DEPTH)


def test_file_changed_after_load_is_refused_when_read(package: Path) -> None:
    loaded = install_artifacts(package, package.with_name("cache"), DEPTH)
    loaded.wasm_path.write_bytes(b"changed")
    with pytest.raises(ArtifactDigestMismatch):
        loaded.read_wasm()


@pytest.mark.parametrize("depth", [0, 33])
def test_there_is_no_circuit_of_other_depths(depth: int, tmp_path: Path) -> None:
    with pytest.raises(ArtifactsMissing, match="1 to 32"):
        load_artifacts(tmp_path, depth)
