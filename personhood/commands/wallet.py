"""`personhood wallet new|restore|status|claim`: the holder's side, which sees the chain alone."""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from personhood.commands.wallet_delete import delete
from personhood.settings import Settings

if TYPE_CHECKING:
    from distribution.deployment import Deployment

app = typer.Typer(help="A holder's credential: make one, look, claim.", no_args_is_help=True)
app.command()(delete)

_MAX_WORDS_LENGTH = 4096  # characters; the longest phrase has 215

_KEEP_FILE = (
    "Show the commitment at a kiosk; keep the file and its password, nobody can replace them."
)
_KEEP_WORDS = (
    "Show the commitment at a kiosk. Write the words on paper, in this order: they are not shown "
    "again, and with `personhood wallet restore` whoever has them has the wallet."
)

WalletOption = Annotated[
    Path | None, typer.Option("--wallet", help="keystore file; by default in the data directory")
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")]


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
    _show(
        {"wallet": str(path), "commitment": str(identity.commitment), **words},
        _KEEP_WORDS if show_words else _KEEP_FILE,
        as_json,
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
    _show(
        {"wallet": str(path), "commitment": str(identity.commitment)},
        "The same identity as before: a member stays one.",
        as_json,
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
    _show({"statement": text}, "Hold the code to the kiosk's camera, or paste the text.", as_json)


@app.command()
def status(wallet: WalletOption = None, as_json: JsonOption = False) -> None:
    """Tell the current epoch, whether this wallet is a member, and whether it was paid."""
    from distribution import claims
    from distribution.chain import Chain
    from distribution.deployment import Deployment
    from distribution.registry import read_group
    from identity_proofs.keystore import load_identity

    settings = Settings()
    identity = load_identity(wallet or settings.wallet_file(), ask_password(settings))
    chain = Chain.connect(settings.rpc_url)
    deployment = Deployment.read(settings.deployment_file()).check(chain)
    epoch = claims.read_epoch(chain, deployment)
    member = identity.commitment in read_group(chain, deployment)
    in_epoch = epoch.root != 0 and identity.commitment in claims.read_epoch_group(
        chain, deployment, epoch
    )
    claimed = claims.is_claimed(chain, deployment, identity, epoch.epoch)
    _show(
        {
            "commitment": str(identity.commitment),
            "member": member,
            "epoch": epoch.epoch,
            "epoch_ends": _utc(epoch.ends_at),
            "claimed": claimed,
            "amount": str(epoch.amount),
            "coins": _coins(epoch.amount, deployment),
        },
        _advice(member=member, opened=epoch.root != 0, in_epoch=in_epoch, claimed=claimed),
        as_json,
    )


@app.command()
def claim(
    to: Annotated[
        str | None, typer.Option(help="who is paid; without it a fresh address is made and kept")
    ] = None,
    wallet: WalletOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove membership and claim this epoch's income, from the account that pays gas here."""
    from distribution import claims
    from distribution.chain import Chain
    from distribution.deployment import Deployment
    from distribution.payout import fresh_payout_address
    from identity_proofs.artifacts import load_artifacts
    from identity_proofs.keystore import load_identity
    from identity_proofs.prover import Prover

    settings = Settings()
    path = wallet or settings.wallet_file()
    password = ask_password(settings)
    identity = load_identity(path, password)
    chain = Chain.connect(settings.rpc_url, settings.gas_key())
    deployment = Deployment.read(settings.deployment_file()).check(chain)

    with Console(stderr=True).status("opening the epoch and rebuilding the group") as step:
        epoch = claims.open_epoch(chain, deployment)
        group = claims.read_epoch_group(chain, deployment, epoch)
        claims.require_claimable(chain, deployment, identity, epoch.epoch, group)
        step.update("proving membership")
        recipient = to or fresh_payout_address(path, epoch.epoch, password)
        prover = Prover(load_artifacts(settings.artifacts_dir()))
        prepared = claims.prove_claim(
            prover, identity, group, deployment, epoch=epoch.epoch, recipient=recipient
        )
        step.update("waiting for the payment")
        receipt = claims.submit_claim(chain, deployment, prepared)
    _show(
        {
            "epoch": epoch.epoch,
            "recipient": recipient,
            "amount": str(epoch.amount),
            "coins": _coins(epoch.amount, deployment),
            "transaction": receipt.transaction_hash,
            "gas_used": receipt.gas_used,
        },
        f"Paid. The next epoch begins at {_utc(epoch.ends_at)}.",
        as_json,
    )


def _advice(*, member: bool, opened: bool, in_epoch: bool, claimed: bool) -> str:
    if not member:
        return "Not a member yet: enrol at a kiosk, then wait for the next publication."
    if claimed:
        return "Paid for this epoch."
    if opened and not in_epoch:
        return "A member, counted from the next epoch on."
    return "Ready: run `personhood wallet claim`."


def _coins(amount: int, deployment: "Deployment") -> str:
    return f"{Decimal(amount).scaleb(-deployment.decimals).normalize():f}"


def _utc(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="minutes")


def ask_password(settings: Settings, *, confirm: bool = False) -> str:
    if settings.wallet_password is not None:
        return settings.wallet_password.get_secret_value()
    answer: str = typer.prompt("Wallet password", hide_input=True, confirmation_prompt=confirm)
    return answer


def _words() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.read(_MAX_WORDS_LENGTH)
    words: str = typer.prompt("The 24 words, in order (not shown)", hide_input=True)
    return words


def _show(facts: dict[str, str | int | bool], advice: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        Console().print(f"{name:<14}{value}", highlight=False, soft_wrap=True)
    Console().print(advice, highlight=False)
