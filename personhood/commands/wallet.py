"""`personhood wallet`: the holder's side, which sees the chain alone. Here: what makes a wallet."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from personhood.commands.wallet_claim import claim
from personhood.commands.wallet_delete import delete
from personhood.commands.wallet_export import export
from personhood.commands.wallet_shell import JsonOption, WalletOption, ask_password, show
from personhood.commands.wallet_status import history, status
from personhood.settings import Settings

app = typer.Typer(help="A holder's credential: make one, look, claim.", no_args_is_help=True)


_MAX_WORDS_LENGTH = 4096  # characters; the longest phrase has 215

_KEEP_FILE = (
    "Show the commitment at a kiosk; keep the file and its password, nobody can replace them."
)
_KEEP_WORDS = (
    "Show the commitment at a kiosk. Write the words on paper, in this order: they are not shown "
    "again, and with `personhood wallet restore` whoever has them has the wallet."
)

app.command()(status)
app.command()(claim)
app.command()(history)
app.command()(export)
app.command()(delete)


@app.command()
def new(
    wallet: WalletOption = None,
    as_json: JsonOption = False,
    show_words: Annotated[
        bool | None,
        typer.Option(help="show the 24 backup words; by default on a terminal only"),
    ] = None,
) -> None:
    """Make a wallet: a new identity in an encrypted keystore. Never overwrites one.

    Its 24 backup words are shown now and not again.
    """
    from identity_proofs.identity import Identity
    from identity_proofs.keystore import require_absent, save_identity
    from identity_proofs.mnemonic import to_phrase

    settings = Settings()
    path = wallet or settings.wallet_file()
    require_absent(path)
    identity = Identity.generate()
    save_identity(path, identity, ask_password(settings, confirm=True))
    if show_words is None:
        show_words = sys.stdout.isatty() and not as_json
    words = {"words": to_phrase(identity)} if show_words else {}
    show(
        {"wallet": str(path), "commitment": str(identity.commitment), **words},
        _KEEP_WORDS if show_words else _KEEP_FILE,
        as_json=as_json,
    )


@app.command()
def restore(wallet: WalletOption = None, as_json: JsonOption = False) -> None:
    """Make a wallet again from its 24 words, typed or piped in. Never overwrites one."""
    from identity_proofs.keystore import require_absent, save_identity
    from identity_proofs.mnemonic import from_phrase

    settings = Settings()
    path = wallet or settings.wallet_file()
    require_absent(path)
    identity = from_phrase(_words())
    save_identity(path, identity, ask_password(settings, confirm=True))
    show(
        {"wallet": str(path), "commitment": str(identity.commitment)},
        "The same identity as before: a member stays one.",
        as_json=as_json,
    )


@app.command()
def statement(
    challenge: Annotated[str, typer.Argument(help="as the kiosk shows it now")],
    wallet: WalletOption = None,
    qr: Annotated[Path | None, typer.Option(help="write the QR code as PNG or SVG too")] = None,
    recover: Annotated[
        bool, typer.Option("--recover", help="enrolled before, with a wallet that is lost")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a kiosk's challenge: proof that this wallet holds the secret of its commitment."""
    import segno

    from identity_proofs.keystore import load_identity
    from identity_proofs.statement import EnrollmentStatement, Purpose

    settings = Settings()
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    purpose = Purpose.RECOVER if recover else Purpose.ENROL
    text = EnrollmentStatement.sign(identity, challenge.strip().upper(), purpose).to_text()
    code = segno.make_qr(text, error="l")
    if qr is not None:
        code.save(str(qr), scale=8)
    if not as_json and sys.stdout.isatty():
        code.terminal(compact=True)
    show(
        {"statement": text},
        "Hold the code to the kiosk's camera, or paste the text.",
        as_json=as_json,
    )


def _words() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read(_MAX_WORDS_LENGTH)
    words: str = typer.prompt("The 24 words, in order (not shown)", hide_input=True)
    return words
