"""`personhood kiosk invite|register|list|revoke`: which devices may enrol people."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from personhood.settings import Settings

app = typer.Typer(help="The devices that may enrol people.", no_args_is_help=True)


@app.command()
def invite(name: Annotated[str, typer.Argument(help="for example its place: 'Library'")]) -> None:
    """Print a one-time code for a new kiosk; it holds for a day."""
    from personhood.registers import open_kiosks

    typer.echo(open_kiosks(Settings()).invite(name))


@app.command()
def register(code: Annotated[str, typer.Argument(help="from `personhood kiosk invite`")]) -> None:
    """Make this device a kiosk: its key is made here and never leaves."""
    from personhood.kiosk_client import KioskClient

    settings = Settings()
    with KioskClient(settings.service_url) as kiosk:
        kiosk.register(code).write(settings.kiosk_file())
    typer.echo(f"registered; the device's key is in {settings.kiosk_file()}")


@app.command("list")
def list_kiosks() -> None:
    """Show every kiosk, revoked ones too."""
    from personhood.registers import open_kiosks

    table = Table("name", "invited by", "registered", "revoked")
    for kiosk in open_kiosks(Settings()).all():
        revoked = _utc(kiosk.revoked_at) if kiosk.revoked_at is not None else ""
        invited_by = kiosk.invited_by or "command line"
        table.add_row(kiosk.name, invited_by, _utc(kiosk.registered_at), revoked)
    Console().print(table)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="as `personhood kiosk list` shows it")],
) -> None:
    """Refuse a kiosk from its next request on, and void its invitation."""
    from personhood.registers import open_kiosks

    open_kiosks(Settings()).revoke(name)
    typer.echo(f"{name} is refused from now on")


def _utc(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="minutes")
