"""`personhood wallet`: the holder's side, which sees the chain alone. Here: what makes a wallet."""

import sys

import typer

from personhood.commands.wallet_claim import claim
from personhood.commands.wallet_delete import delete
from personhood.commands.wallet_export import export
from personhood.commands.wallet_shell import JsonOption, WalletOption, ask_password, show
from personhood.commands.wallet_statement import WordsOption, make_wallet, recover, statement
from personhood.commands.wallet_status import history, status
from personhood.settings import Settings

app = typer.Typer(help="A holder's credential: make one, look, claim.", no_args_is_help=True)


_MAX_WORDS_LENGTH = 4096  # characters; the longest phrase has 215

app.command()(statement)
app.command()(recover)
app.command()(status)
app.command()(claim)
app.command()(history)
app.command()(export)
app.command()(delete)


@app.command()
def new(
    wallet: WalletOption = None,
    as_json: JsonOption = False,
    show_words: WordsOption = None,
) -> None:
    """Make a wallet: a new identity in an encrypted keystore. Never overwrites one.

    Its 24 backup words are shown now and not again.
    """
    _, facts, advice = make_wallet(Settings(), wallet, show_words, as_json=as_json)
    show(facts, advice, as_json=as_json)


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


def _words() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read(_MAX_WORDS_LENGTH)
    words: str = typer.prompt("The 24 words, in order (not shown)", hide_input=True)
    return words
