"""`personhood operator add|invite|list|disable`: who may use the console."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from personhood.settings import Settings

app = typer.Typer(help="The people who may use the console.", no_args_is_help=True)

_NAME = typer.Argument(help="as `personhood operator list` shows it")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="by which the operator is known")],
    role: Annotated[
        str, typer.Option(help="auditor reads, adjudicator decides cases, admin configures")
    ] = "auditor",
) -> None:
    """Add an operator; prints a one-time sign-up code and link that hold for a day."""
    from console.activity import COMMAND_LINE, Action
    from console.operators import Role
    from personhood.console import open_staff

    if role not in set(Role):
        raise typer.BadParameter(f"{role} is no role: auditor, adjudicator or admin")
    settings = Settings()
    staff = open_staff(settings)
    code = staff.operators.add(name, Role(role))
    staff.trail.note(COMMAND_LINE, Action.OPERATOR_ADDED, name)
    _tell(settings, code)


@app.command()
def invite(name: Annotated[str, _NAME]) -> None:
    """Give a new code to an operator who lost every way to sign in."""
    from console.activity import COMMAND_LINE, Action
    from personhood.console import open_staff

    settings = Settings()
    staff = open_staff(settings)
    code = staff.operators.invite_again(name)
    staff.trail.note(COMMAND_LINE, Action.OPERATOR_INVITED, name)
    _tell(settings, code)


@app.command("list")
def list_operators() -> None:
    """Show every operator, disabled ones too."""
    from personhood.console import open_staff

    table = Table("name", "role", "added", "disabled")
    for operator in open_staff(Settings()).operators.all():
        disabled = _utc(operator.disabled_at) if operator.disabled_at is not None else ""
        table.add_row(operator.name, operator.role.value, _utc(operator.added_at), disabled)
    Console().print(table)


@app.command()
def disable(name: Annotated[str, _NAME]) -> None:
    """End an operator's sessions and ways to sign in, now."""
    from console.activity import COMMAND_LINE, Action
    from personhood.console import open_staff

    staff = open_staff(Settings())
    staff.operators.disable(name)
    staff.trail.note(COMMAND_LINE, Action.OPERATOR_DISABLED, name)
    typer.echo(f"{name} is signed out and cannot sign in any more")


def _tell(settings: Settings, code: str) -> None:
    from personhood.console import sign_up_link

    typer.echo(code)
    typer.echo(f"open {sign_up_link(settings, code)}", err=True)


def _utc(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="minutes")
