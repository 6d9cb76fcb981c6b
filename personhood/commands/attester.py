"""`personhood attester run` and `address`: an attester of its own, on a machine of its own."""

from typing import Annotated

import typer

from personhood.settings import Settings

app = typer.Typer(help="Sign the registry's roots, once checked.", no_args_is_help=True)


@app.command()
def run(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port")] = 8100,
) -> None:
    """Sign updates of the registry that the log accounts for, until interrupted."""
    import uvicorn

    from distribution.attester_api import create_attester_app
    from personhood.attesting import attester_witness, open_attester
    from personhood.logging import configure_logging

    settings = Settings()
    configure_logging(settings.log_format)
    with open_attester(settings) as attester:
        app = create_attester_app(attester, attester_witness(settings, attester.log_key))
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, http="h11")


@app.command()
def address() -> None:
    """Print this machine's address as an attester, for PERSONHOOD_ATTESTERS at deployment."""
    from personhood.attesting import attester_address

    typer.echo(attester_address(Settings()))
