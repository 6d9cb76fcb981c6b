"""`personhood wallet statement` and `recover`: what a wallet shows a kiosk; and how one is made."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personhood.commands.wallet_shell import JsonOption, WalletOption, ask_password, show
from personhood.settings import Settings

if TYPE_CHECKING:
    from identity_proofs.identity import Identity
    from identity_proofs.statement import Purpose

ChallengeArgument = Annotated[str, typer.Argument(help="as the kiosk shows it now")]
QrOption = Annotated[Path | None, typer.Option(help="write the QR code as PNG or SVG too")]
WordsOption = Annotated[
    bool | None, typer.Option(help="show the 24 backup words; by default on a terminal only")
]

_KEEP_FILE = (
    "Show the commitment at a kiosk; keep the file and its password, nobody can replace them."
)
_KEEP_WORDS = (
    "Show the commitment at a kiosk. Write the words on paper, in this order: they are not shown "
    "again, and with `personhood wallet restore` whoever has them has the wallet."
)
_SHOW = "Hold the code to the kiosk's camera, or paste the text."


def make_wallet(
    settings: Settings, wallet: Path | None, show_words: bool | None, *, as_json: bool
) -> tuple["Identity", dict[str, str], str]:
    """A new identity in a new keystore; what to tell of it, and what to do with it.

    Raises:
        KeystoreExists: there is a file already.
    """
    from identity_proofs.identity import Identity
    from identity_proofs.keystore import require_absent, save_identity
    from identity_proofs.mnemonic import to_phrase

    path = wallet or settings.wallet_file()
    require_absent(path)
    identity = Identity.generate()
    save_identity(path, identity, ask_password(settings, confirm=True))
    if show_words is None:
        show_words = sys.stdout.isatty() and not as_json
    words = {"words": to_phrase(identity)} if show_words else {}
    facts = {"wallet": str(path), "commitment": str(identity.commitment), **words}
    return identity, facts, _KEEP_WORDS if show_words else _KEEP_FILE


def statement(
    challenge: ChallengeArgument,
    wallet: WalletOption = None,
    qr: QrOption = None,
    recover: Annotated[
        bool, typer.Option("--recover", help="enrolled before, with a wallet that is lost")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a kiosk's challenge: proof that this wallet holds the secret of its commitment."""
    from identity_proofs.keystore import load_identity
    from identity_proofs.statement import Purpose

    settings = Settings()
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    purpose = Purpose.RECOVER if recover else Purpose.ENROL
    text = _sign(identity, challenge, purpose, qr, as_json=as_json)
    show({"statement": text}, _SHOW, as_json=as_json)


def recover(
    challenge: ChallengeArgument,
    wallet: WalletOption = None,
    qr: QrOption = None,
    show_words: WordsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a lost wallet: make a new one, and its answer to the kiosk that you stand at.

    The kiosk finds that you are enrolled, and the new wallet takes the place of the lost one: it
    claims from the next epoch on, and the lost one no more. Where you have the 24 words, `restore`
    brings back the same wallet, without a kiosk.
    """
    from identity_proofs.statement import Purpose

    identity, facts, advice = make_wallet(Settings(), wallet, show_words, as_json=as_json)
    text = _sign(identity, challenge, Purpose.RECOVER, qr, as_json=as_json)
    show(
        facts | {"statement": text},
        f"{advice}\n{_SHOW} For another challenge: `personhood wallet statement --recover`.",
        as_json=as_json,
    )


def _sign(
    identity: "Identity", challenge: str, purpose: "Purpose", qr: Path | None, *, as_json: bool
) -> str:
    """The statement's text; its QR code goes to the terminal, and to a file if one is named."""
    import segno

    from identity_proofs.statement import EnrollmentStatement

    text = EnrollmentStatement.sign(identity, challenge.strip().upper(), purpose).to_text()
    code = segno.make_qr(text, error="l")
    if qr is not None:
        code.save(str(qr), scale=8)
    if not as_json and sys.stdout.isatty():
        code.terminal(compact=True)
    return text
