"""`personhood artifacts install`, run in this process, from where people have the files."""

import tarfile
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from identity_proofs.artifacts import Artifacts, load_artifacts
from identity_proofs.errors import ArtifactsMissing, ArtifactsUnwritable
from personhood.cli import app

PACKAGE = Path("node_modules", "@zk-kit", "semaphore-artifacts")


@pytest.fixture(autouse=True)
def cache(artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert artifacts.depth == 27  # read from the real cache, before it is moved for the test
    monkeypatch.setenv("PERSONHOOD_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "artifacts"


def install(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["artifacts", "install", *arguments])
    if result.exception is not None:
        raise result.exception
    return result


def test_from_the_installed_package(artifacts: Artifacts, cache: Path) -> None:
    PACKAGE.parent.mkdir(parents=True)
    PACKAGE.symlink_to(artifacts.wasm_path.parent)
    assert f"depth 27: {cache}" in install().stdout.replace("\n", "")
    assert load_artifacts(cache).verification_key == artifacts.verification_key


def test_from_a_directory_and_an_archive(artifacts: Artifacts, cache: Path, tmp_path: Path) -> None:
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tape:
        tape.add(artifacts.wasm_path.parent, arcname="package")
    for source in (artifacts.wasm_path.parent, archive):
        install("--from", str(source), "--depth", "27")
        assert load_artifacts(cache).verification_key == artifacts.verification_key


def test_errors_have_codes(artifacts: Artifacts, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactsMissing):
        install("--from", str(tmp_path / "nowhere"))
    cache.parent.touch()
    with pytest.raises(ArtifactsUnwritable):
        install("--from", str(artifacts.wasm_path.parent))
