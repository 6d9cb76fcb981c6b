"""The command line: `personhood --help`."""

import sys
from importlib import import_module

import typer
from rich.console import Console

from personhood.commands import chain, demo, install, service, wallet

app = typer.Typer(
    name="personhood",
    help="One person, one credential, one income.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(service.serve)
app.command("enroll")(service.enroll)
app.command("audit")(service.audit)
app.command("chain")(chain.chain)
app.command("deploy")(chain.deploy)
app.command("publish")(chain.publish)
app.add_typer(wallet.app, name="wallet")
app.add_typer(install.models, name="models")
app.add_typer(install.artifacts, name="artifacts")
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command; a known error becomes one line with its stable code, and exit status 1."""
    try:
        app()
    except Exception as error:
        code = getattr(error, "code", None)
        if not isinstance(code, str) or not isinstance(error, _known_errors()):
            raise
        Console(stderr=True).print(f"[bold red]error[/] \\[{code}] ", end="")
        Console(stderr=True).print(str(error), markup=False, highlight=False)
        sys.exit(1)


def _known_errors() -> tuple[type[Exception], ...]:
    """The base error of every room whose code was imported."""
    names = {
        "distribution.errors": "DistributionError",
        "enrollment.errors": "EnrollmentError",
        "identity_proofs.errors": "IdentityProofsError",
        "personhood.errors": "PersonhoodError",
        "uniqueness.errors": "UniquenessError",
    }
    return tuple(getattr(import_module(module), name) for module, name in names.items())
