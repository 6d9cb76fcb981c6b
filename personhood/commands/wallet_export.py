"""`personhood wallet export`: the secret itself, for another wallet or for paper."""

from enum import StrEnum
from typing import Annotated

import typer

from personhood.commands.wallet_shell import (
    JsonOption,
    WalletOption,
    ask_password,
    show,
    warn,
)
from personhood.settings import Settings


class Form(StrEnum):
    """How a secret is written."""

    WORDS = "words"
    SEMAPHORE = "semaphore"


_ASKED = (
    "Whoever sees what comes now can claim in your name, and nobody can take it back. Is nobody "
    "looking, and is this screen not recorded?"
)


def export(
    form: Annotated[
        Form, typer.Argument(help="words: 24, for paper; semaphore: base64, for the JavaScript SDK")
    ] = Form.WORDS,
    wallet: WalletOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; for scripts")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the wallet's secret, after asking whether nobody looks."""
    from identity_proofs.keystore import load_identity
    from identity_proofs.mnemonic import to_phrase

    settings = Settings()
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    if not yes and not typer.confirm(_ASKED, err=True):
        raise typer.Abort
    secret = to_phrase(identity) if form is Form.WORDS else identity.export()
    warn("this is the wallet itself: keep it off networks, mail and photographs", as_json=as_json)
    show(
        {"commitment": str(identity.commitment), form.value: secret},
        "`personhood wallet restore` makes the wallet again from its words."
        if form is Form.WORDS
        else "`new Identity(...)` of @semaphore-protocol/identity reads it with `Identity.import`.",
        as_json=as_json,
    )
