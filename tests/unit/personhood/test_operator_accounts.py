"""`personhood operator`, as somebody at the service's machine types it."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.errors import OperatorNameTaken, OperatorUnknown
from console.operators import Role
from personhood.cli import app
from personhood.console import open_staff
from personhood.settings import Settings

CODE = r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
    return tmp_path


def personhood(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_an_operator_is_added_with_a_code_that_signs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONHOOD_CONSOLE_URL", "https://console.example")
    told = personhood("operator", "add", "ada", "--role", "admin")
    code = told.stdout.strip()
    assert re.fullmatch(CODE, code)
    assert f"open https://console.example/console/join#{code}" in told.stderr
    staff = open_staff(Settings())
    invited = staff.operators.invitation(code).operator
    assert (invited.name, invited.role) == ("ada", Role.ADMIN)
    with pytest.raises(OperatorNameTaken):
        personhood("operator", "add", "ada")


def test_an_unknown_role_is_refused() -> None:
    told = personhood("operator", "add", "ada", "--role", "root")
    assert told.exit_code == 2
    assert open_staff(Settings()).operators.all() == ()


def test_invited_again_listed_and_disabled() -> None:
    first = personhood("operator", "add", "ben").stdout.strip()
    second = personhood("operator", "invite", "ben").stdout.strip()
    assert first != second
    assert re.search(r"ben +│ auditor", personhood("operator", "list").stdout)
    personhood("operator", "disable", "ben")
    with pytest.raises(OperatorUnknown):
        personhood("operator", "invite", "ben")
    with pytest.raises(OperatorUnknown):
        personhood("operator", "disable", "eve")
    trail = open_staff(Settings()).trail.read(10)
    assert {entry.operator for entry in trail} == {"command line"}
    assert [entry.subject for entry in trail] == ["ben", "ben", "ben"]


def test_the_key_is_for_this_user_alone(home: Path) -> None:
    personhood("operator", "list")
    assert (home / "console.key").stat().st_mode & 0o777 == 0o600
