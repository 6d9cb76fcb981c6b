"""`personhood keys status` and `rotate`."""

from datetime import UTC, datetime

import typer

from personhood.settings import Settings

app = typer.Typer(help="The keys that encrypt templates.", no_args_is_help=True)


@app.command()
def status() -> None:
    """Tell which keys there are, and how many records are sealed with each."""
    from personhood.database import open_database
    from personhood.keys import sealed_tables, template_keys
    from uniqueness.rotation import key_use
    from uniqueness.sealing import MAX_RECORDS_PER_KEY

    settings = Settings()
    keyring = template_keys(settings)
    use = key_use(open_database(settings), sealed_tables())
    for key_id in (*keyring.key_ids, *sorted(use.key_ids - {*keyring.key_ids})):
        state = "active" if key_id == keyring.key_id else "retired"
        state = state if key_id in keyring.key_ids else "MISSING"
        typer.echo(f"{key_id}  {state:<8}{use.records(key_id):>12} records")
    if use.records(keyring.key_id) > MAX_RECORDS_PER_KEY // 2:
        typer.echo("the active key nears the 2^32 records that are safe: run `keys rotate`")


@app.command()
def rotate() -> None:
    """Make a new active key and seal every record anew with it, beside running services.

    A rotation that was interrupted goes on. Where the keys come from the environment, the operator
    makes the new one and gives it to every service; this seals the records anew.
    """
    from rich.console import Console
    from rich.progress import Progress

    from personhood.database import open_database
    from personhood.keys import sealed_tables, template_keys
    from uniqueness.key_files import KeyFiles
    from uniqueness.rotation import key_use, reseal

    settings = Settings()
    keyring, engine = template_keys(settings), open_database(settings)
    use = key_use(engine, sealed_tables())
    if isinstance(keyring, KeyFiles) and use.key_ids <= {keyring.key_id}:
        keyring.replace_active()
    typer.echo(f"the active key is {keyring.key_id}")
    waiting = sum(use.records(key_id) for key_id in use.key_ids - {keyring.key_id})
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sealing records anew", total=waiting)
        count = reseal(
            engine, keyring, lambda done: progress.advance(task, done), tables=sealed_tables()
        )
    typer.echo(f"{count} records were sealed anew")

    use = key_use(engine, sealed_tables())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for key_id in keyring.key_ids[1:]:
        if left := use.records(key_id):
            typer.echo(
                f"{key_id} still seals {left} records: some service has it as its active key; "
                "give that one the new key, then run this again"
            )
            continue
        where = f", {keyring.retired_directory / key_id}," if isinstance(keyring, KeyFiles) else ""
        typer.echo(
            f"{key_id}{where} seals no record any more: destroy it when every backup of the "
            f"database from before {now} is gone too, since those need it"
        )
