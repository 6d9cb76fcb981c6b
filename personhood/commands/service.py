"""`personhood serve` and `enroll`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from personhood.settings import Settings

EXIT_NOT_ACCEPTED = 3  # a decision, not a fault: duplicate or review


def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port")] = 8000,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="serve https, with PERSONHOOD_TLS_CERTIFICATE and PERSONHOOD_TLS_KEY, or with a "
            "certificate made here",
        ),
    ] = False,
    standby: Annotated[
        bool,
        typer.Option("--standby", help="wait for the service on this database to end, then decide"),
    ] = False,
) -> None:
    """Run the enrolment service until interrupted."""
    from personhood.logging import configure_logging
    from personhood.serving import Address
    from personhood.serving import serve as run
    from personhood.tls import tls_files

    settings = Settings()
    configure_logging(settings.log_format)
    files = tls_files(settings, host) if tls else None
    if files and files.is_own:
        typer.echo(
            f"This certificate was made here; a kiosk that asks about it has to see this SHA-256 "
            f"fingerprint:\n{files.fingerprint}",
            err=True,
        )
    run(settings, Address(host, port, files), standby=standby)


def enroll(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or WebP")],
    wallet: Annotated[
        Path | None, typer.Option(help="keystore file; by default in the data directory")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")] = False,
) -> None:
    """Be kiosk and wallet at once, to try a service out: send one photograph for a wallet.

    The service has to run with PERSONHOOD_CAPTURE=photograph. Exit status: 0 accepted,
    3 duplicate or review, 1 refused.
    """
    from identity_proofs.keystore import load_identity
    from personhood.commands.wallet_shell import ask_password
    from personhood.kiosk_client import Device, KioskClient

    settings = Settings()
    device = Device.read(settings.kiosk_file())
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    with KioskClient(settings.service_url, device) as kiosk:
        answer = kiosk.enroll(photo.read_bytes(), identity)
    if as_json:
        typer.echo(
            json.dumps({"outcome": answer.outcome, "code": answer.code, "text": answer.text})
        )
    else:
        label = f"{answer.outcome} [{answer.code}]" if answer.code else answer.outcome
        Console().print(f"{label}: {answer.text}", markup=False, highlight=False)
    if answer.outcome == "refused":
        raise typer.Exit(1)
    if answer.outcome != "accepted":
        raise typer.Exit(EXIT_NOT_ACCEPTED)
