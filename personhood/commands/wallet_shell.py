"""What the wallet's commands share: their options, the password, how answers are shown."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from personhood.settings import Settings

if TYPE_CHECKING:
    from distribution.deployment import Deployment

WalletOption = Annotated[
    Path | None, typer.Option("--wallet", help="keystore file; by default in the data directory")
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")]

_STEPS = {"download": "downloading the members", "hash": "rebuilding the tree"}


def ask_password(settings: Settings, *, confirm: bool = False) -> str:
    if settings.wallet_password is not None:
        return settings.wallet_password.get_secret_value()
    answer: str = typer.prompt("Wallet password", hide_input=True, confirmation_prompt=confirm)
    return answer


class Steps:
    """What a command is doing, on standard error; nothing where it is not shown."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}
        self._now: Any = None

    def count(self, what: str, done: int, total: int) -> None:
        """A step of the group's rebuilding: how much of it is done."""
        if self._progress is None:
            return
        self.say(None)
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(_STEPS[what], total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)

    def say(self, text: str | None) -> None:
        """A step whose length nobody knows, in the place of the one before."""
        if self._progress is None:
            return
        if self._now is not None:
            self._progress.update(self._now, total=1, completed=1)
        self._now = None if text is None else self._progress.add_task(text, total=None)


@contextmanager
def showing_steps(*, as_json: bool) -> Iterator[Steps]:
    """Show what is being done until the block ends; nothing with `--json`."""
    if as_json:
        yield Steps(None)
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Steps(progress)


def show(facts: dict[str, Any], advice: str, *, as_json: bool) -> None:
    """Print facts and what to do; lists are for `--json` alone."""
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        if not isinstance(value, list | dict):
            Console().print(f"{name:<14}{value}", highlight=False, soft_wrap=True, markup=False)
    Console().print(advice, highlight=False, markup=False)


def warn(text: str, *, as_json: bool) -> None:
    """Say something that must not be overlooked, on standard error."""
    if not as_json:
        Console(stderr=True).print(f"[bold yellow]note[/] {text}", highlight=False)


def coins(amount: int, deployment: "Deployment") -> str:
    return f"{Decimal(amount).scaleb(-deployment.decimals).normalize():f}"


def utc(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="minutes")


def countdown(seconds: int) -> str:
    """Such as 3 d 4 h, or 12 min."""
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if seconds <= 0:
        return "over"
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{max(1, minutes)} min"
