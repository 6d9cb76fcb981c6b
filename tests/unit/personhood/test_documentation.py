"""What is documented exists, and what exists is documented."""

import re
from pathlib import Path

import typer
from typer.main import get_command

from personhood.cli import app
from personhood.settings import Settings

ROOT = Path(__file__).parents[3]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()


def commands() -> set[str]:
    top = get_command(app)
    context = typer.Context(top)
    names = set()
    for name in top.list_commands(context):  # type: ignore[attr-defined]
        command = top.get_command(context, name)  # type: ignore[attr-defined]
        children = getattr(command, "commands", None)
        names |= {f"{name} {child}" for child in children or ()}
        if not children or command.invoke_without_command:
            names.add(name)
    return names


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`PERSONHOOD_([A-Z_]+)`", CONFIGURATION))
    assert documented == {name.upper() for name in Settings.model_fields}


def test_every_command_is_documented() -> None:
    table = CONFIGURATION.partition("## Commands")[2]
    assert set(re.findall(r"^\| `personhood ([a-z ]+)`", table, re.M)) == commands()


def test_the_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    named = re.findall(r"^personhood ((?:(?:wallet|kiosk) )?[a-z]+)", readme, re.M)
    assert named
    assert set(named) <= commands()


def test_the_readmes_first_screen_shows_both_commands_and_the_picture() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:25]
    text = "\n".join(first_screen)
    assert "make demo" in text
    assert "make test" in text
    assert "docs/demo.png" in text
    assert (ROOT / "docs" / "demo.png").stat().st_size > 10_000
