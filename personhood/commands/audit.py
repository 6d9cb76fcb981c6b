"""`personhood audit`: the service's own counts, and what anybody can check from public data."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personhood.commands.audit_report import report as write_report
from personhood.settings import Settings

if TYPE_CHECKING:
    from transparency.mirror import LogCopy
    from transparency.note import VerifierKey

app = typer.Typer(
    help="What was decided, and whether it can be believed.", invoke_without_command=True
)

Key = Annotated[
    str | None,
    typer.Option(help="the log's verifier key, or a file with it; else the service's word"),
]
app.command("report")(write_report)


@app.callback()
def audit(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")] = False,
    plot: Annotated[Path | None, typer.Option(help="write the score histogram as PNG")] = None,
) -> None:
    """Tell how deduplication went: counts, reasons of rejection, scores of a thousand or more."""
    if context.invoked_subcommand is not None:
        return
    from personhood.registers import plot_scores, read_audit

    settings = Settings()
    report = read_audit(settings).for_release()
    typer.echo(report.to_json() if as_json else report.to_text())
    if plot is not None:
        plot_scores(settings, report, plot)


@app.command()
def verify(
    log: Annotated[
        str | None, typer.Option(help="a service's address, or a directory of `audit export`")
    ] = None,
    key: Key = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="a checkpoint that you kept, or a report.json; may be repeated"),
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="a witness's key, or a file with it; may be repeated")
    ] = None,
    quorum: Annotated[int, typer.Option(min=1, help="of the witnesses, if any are named")] = 1,
    deployment: Annotated[Path | None, typer.Option(help="the deployment file")] = None,
    grace: Annotated[int, typer.Option(min=0, help="hours a decision may be under way")] = 48,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")] = False,
) -> None:
    """Check log, chain and each other from public data alone; names the first inconsistency."""
    from distribution.chain import Chain
    from distribution.deployment import Deployment
    from distribution.public_audit import audit as audit_public
    from distribution.record import read_record

    settings = Settings()
    # The chain first: a decision is in the log before it is there, and may be under way to it.
    endpoint = Chain.connect(settings.rpc_url)
    contracts = Deployment.read(deployment or settings.deployment_file()).check(endpoint)
    record = read_record(endpoint, contracts)
    copy, trusted = _read_log(log or settings.service_url, key)
    held = [_held(path) for path in checkpoint or ()]
    if witness:
        keys = [_parse_key(text) for text in witness]
        held.append(_read_witnessed(log or settings.service_url, trusted, keys, quorum))
    verdict = audit_public(copy, trusted, record, held=held, grace=grace * 3600)
    if as_json:
        about = {"log": trusted.text, "block": record.block, "consistent": verdict.finding is None}
        typer.echo(json.dumps(about | asdict(verdict), indent=2))
    else:
        if key is None:
            typer.echo(f"the log's key was not given; keep this one: {trusted.text}")
        for check in verdict.checks:
            typer.echo(f"ok    {check.name}: {check.detail}")
        if verdict.finding is None:
            typer.echo(f"consistent as of block {record.block}")
        else:
            typer.echo(f"NO    {verdict.finding}: {verdict.explanation}")
    if verdict.finding is not None:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[
        Path, typer.Argument(help="to be written; its `checkpoint` is worth keeping")
    ],
    log: Annotated[str | None, typer.Option(help="a service's address")] = None,
    key: Key = None,
) -> None:
    """Copy a service's whole log into a directory, checked as it is taken."""
    from transparency.checkpoint import open_checkpoint
    from transparency.mirror import LogFiles, Mirror

    copy, trusted = _read_log(log or Settings().service_url, key)
    mirror = Mirror(trusted)
    mirror.extend(copy)
    if (before := LogFiles(folder)).exists:
        mirror.require_consistent(open_checkpoint(before.read().note, trusted).checkpoint)
    LogFiles(folder).append(copy)
    (folder / "key").write_text(trusted.text + "\n")
    typer.echo(f"{mirror.size} entries; the log's key is {trusted.text}")


@app.command()
def witness() -> None:
    """Have the log's head cosigned by the witnesses that are set; on the service's machine."""
    from personhood.attesting import have_log_cosigned
    from personhood.database import open_database
    from personhood.registers import open_journal

    settings = Settings()
    if settings.log_witnesses is None:
        raise typer.BadParameter("no witness is set: PERSONHOOD_LOG_WITNESSES=KEY@URL,...")
    note, missing = have_log_cosigned(settings, open_journal(settings, open_database(settings)))
    typer.echo(note, nl=False)
    for why in missing:
        typer.echo(why, err=True)


@app.command()
def receipt(
    text: Annotated[str, typer.Argument(help="the receipt, or a file with it")],
    service: Annotated[str | None, typer.Option(help="address of the service")] = None,
    key: Key = None,
) -> None:
    """Check that a receipt is the service's, and that the log has what it says."""
    from personhood.receipt_check import check_with_service

    shown = check_with_service(
        _read(text), service or Settings().service_url, _parse_key(key) if key else None
    )
    logged = shown.receipt.logged
    typer.echo(
        f"this wallet was {shown.receipt.event}: entry {logged and logged.index} of "
        f"{shown.size} in the log"
    )


def _held(path: Path) -> str:
    """A checkpoint's note: the file itself, or what an audit report says."""
    if path.suffix != ".json":
        return path.read_text()
    from personhood.audit_report.document import read_report

    return str(read_report(path)["checkpoint"])


def _read_log(place: str, key: str | None) -> "tuple[LogCopy, VerifierKey]":
    """A log by its address or in a directory, and the key to check it with."""
    from transparency.client import LogClient
    from transparency.mirror import LogFiles

    if place.startswith(("http://", "https://")):
        with LogClient(place) as client:
            return client.download(), _parse_key(key) if key else client.key()
    folder = Path(place)
    return LogFiles(folder).read(), _parse_key(key or str(folder / "key"))


def _read_witnessed(
    place: str, key: "VerifierKey", witnesses: "list[VerifierKey]", quorum: int
) -> str:
    """The newest checkpoint that enough witnesses cosigned."""
    from transparency.checkpoint import open_checkpoint
    from transparency.client import LogClient

    with LogClient(place) as client:
        note = client.witnessed()
    return open_checkpoint(note, key, witnesses=witnesses, quorum=quorum).note


def _parse_key(text: str) -> "VerifierKey":
    from transparency.note import VerifierKey

    return VerifierKey.from_text(_read(text))


def _read(text: str) -> str:
    """A file's text, or the text itself."""
    try:
        return Path(text).read_text().strip()
    except (OSError, ValueError):
        return text.strip()
