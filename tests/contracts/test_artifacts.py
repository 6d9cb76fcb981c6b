import subprocess
import sys
from pathlib import Path

import pytest

from contracts import compile as compiler
from contracts import generate_verification_key as generator
from contracts.artifacts import load


@pytest.mark.slow
def test_artifacts_are_what_the_sources_compile_to() -> None:
    assert compiler.stale_artifacts() == []


def test_every_contract_has_an_artifact() -> None:
    compiled = {path.stem for path in compiler.COMPILED.glob("*.json")}
    contracts = {path.stem for path in compiler.SOURCES.glob("[A-Z]*.vy")}
    assert compiled == contracts == set(compiler.NAMES)


def test_loading_needs_no_compiler() -> None:
    script = (
        "import sys; from contracts.artifacts import load; load('UbiDistributor');"
        "sys.exit('vyper' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_artifact_names_its_compiler_and_its_evm() -> None:
    artifact = load("UbiDistributor")
    assert artifact.name == "UbiDistributor"
    assert artifact.compiler == "vyper 0.4.3"
    assert artifact.evm_version == "cancun"
    assert artifact.bytecode not in repr(artifact)


def test_check_tells_which_artifact_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "LocalCoin.json").write_text("{}")
    monkeypatch.setattr(compiler, "COMPILED", tmp_path)
    monkeypatch.setattr(compiler, "NAMES", ("LocalCoin",))
    monkeypatch.setattr(sys, "argv", ["compile", "--check"])
    with pytest.raises(SystemExit, match="not up to date: LocalCoin; run"):
        compiler.main()


def test_verification_key_is_the_official_one(official_key: bytes) -> None:
    assert generator.MODULE.read_text(encoding="utf-8") == generator.render(official_key)


def test_another_verification_key_is_refused(official_key: bytes) -> None:
    with pytest.raises(ValueError, match="not the pinned verification key"):
        generator.render(official_key + b"\n")
