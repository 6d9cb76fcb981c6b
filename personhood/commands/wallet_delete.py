"""`personhood wallet delete`: the holder asks the service to be forgotten."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from personhood.settings import Settings


def delete(
    service: Annotated[str | None, typer.Option(help="address of the enrolment service")] = None,
    images: Annotated[
        bool, typer.Option("--images", help="only the pictures that are kept; stay enrolled")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    wallet: Annotated[
        Path | None, typer.Option(help="keystore file; by default in the data directory")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")] = False,
) -> None:
    """Ask the service to delete everything that it keeps of you; its receipt says that it did.

    The wallet is no member any more from the next root on, and can never be one again. What it can
    still claim of earlier epochs it can.
    """
    from identity_proofs.keystore import load_identity
    from personhood.commands.wallet_shell import ask_password
    from personhood.wallet_client import WalletClient

    settings = Settings()
    if not (yes or images):
        typer.confirm("Delete your enrolment? This cannot be undone", abort=True)
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    with WalletClient(service or settings.service_url) as client:
        answer = client.delete(identity, only_images=images)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    Console().print(answer["next"], markup=False, highlight=False)
    if receipt := answer.get("receipt"):
        Console().print(receipt, markup=False, highlight=False, soft_wrap=True)
