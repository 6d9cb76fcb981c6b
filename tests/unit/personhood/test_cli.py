"""Bad settings and bad options are one clear line, without a value that might be a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from personhood.cli import app


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "personhood", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bad_setting_is_named_and_its_value_is_not(tmp_path: Path) -> None:
    done = run("audit", PERSONHOOD_HOME=str(tmp_path), PERSONHOOD_DEVICE="tpu-9000")
    assert done.returncode == 1
    assert "setting_invalid" in done.stderr
    assert "PERSONHOOD_DEVICE" in done.stderr
    assert "tpu-9000" not in done.stderr
    assert "Traceback" not in done.stderr


def test_models_that_are_not_installed_are_told_with_the_command(tmp_path: Path) -> None:
    done = run("serve", PERSONHOOD_HOME=str(tmp_path), PERSONHOOD_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert "model_pack_missing" in done.stderr
    assert "personhood models install opencv" in done.stderr


@pytest.mark.parametrize("amount", ["ten", "-1", "0", "0.0000000000000000001", "nan", "inf"])
def test_an_amount_that_is_none(amount: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distribution.chain.Chain.connect", lambda *_: None)
    monkeypatch.setattr("pathlib.Path.exists", lambda _: False)
    done = CliRunner().invoke(app, ["deploy", f"--amount={amount}"])
    assert done.exit_code == 2, done.output
    assert "no positive amount" in done.output


def test_an_audit_of_nothing_is_empty_and_no_error(tmp_path: Path) -> None:
    done = run("audit", PERSONHOOD_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "people enrolled  0" in done.stdout
