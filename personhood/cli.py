"""The command line: `personhood --help`."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from personhood.commands import (
    attester,
    audit,
    calibrate,
    chain,
    database,
    demo,
    install,
    keys,
    kiosk,
    monitor,
    operator,
    party,
    publish,
    relayer,
    review,
    service,
    wallet,
)
from personhood.settings import describe_invalid

app = typer.Typer(
    name="personhood",
    help="One person, one credential, one income.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(service.serve)
app.command("enroll")(service.enroll)
app.command("calibrate")(calibrate.calibrate)
app.command("chain")(chain.chain)
app.command("deploy")(chain.deploy)
app.add_typer(attester.app, name="attester")
app.command("monitor")(monitor.monitor)
app.add_typer(audit.app, name="audit")
app.command("publish")(publish.publish)
app.add_typer(kiosk.app, name="kiosk")
app.add_typer(operator.app, name="operator")
app.add_typer(database.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(relayer.app, name="relayer")
app.add_typer(wallet.app, name="wallet")
app.add_typer(party.app, name="party")
app.add_typer(review.app, name="review")
app.add_typer(install.models, name="models")
app.add_typer(install.artifacts, name="artifacts")
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command; a known error becomes one line with its stable code, and exit status 1."""
    try:
        app()
    except ValidationError as invalid:
        _fail("setting_invalid", describe_invalid(invalid))
    except Exception as error:
        if not isinstance(error, _known_errors()):
            raise
        _fail(error.code, str(error))


def _fail(code: str, message: str) -> NoReturn:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"[bold red]error[/] \\[{code}] ", end="")
    console.print(message, markup=False, highlight=False)
    sys.exit(1)


def _known_errors() -> tuple[type[Any], ...]:
    """The base error of every room whose code was imported."""
    names = {
        "console.errors": "ConsoleError",
        "distribution.errors": "DistributionError",
        "enrollment.errors": "EnrollmentError",
        "identity_proofs.errors": "IdentityProofsError",
        "personhood.errors": "PersonhoodError",
        "transparency.errors": "TransparencyError",
        "uniqueness.errors": "UniquenessError",
    }
    return tuple(getattr(import_module(module), name) for module, name in names.items())
