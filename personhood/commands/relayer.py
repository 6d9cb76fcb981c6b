"""`personhood relayer run`: pays claims for wallets that have no coins for gas."""

from typing import Annotated

import typer

from personhood.settings import Settings

app = typer.Typer(help="Pay claims for wallets that have no coins for gas.", no_args_is_help=True)


@app.callback()
def relayer() -> None:
    """Keep `run` a subcommand, though it is the only one."""


@app.command()
def run(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port")] = 8002,
) -> None:
    """Take claims over HTTP, and send them in batches, until interrupted."""
    import uvicorn

    from personhood.chain_access import open_chain
    from personhood.http_protocol import BoundedHttp
    from personhood.logging import configure_logging
    from personhood.relayer_app import open_relayer

    settings = Settings()
    configure_logging(settings.log_format)
    chain, deployment = open_chain(settings)
    with open_relayer(settings, chain, deployment) as service:
        uvicorn.run(
            service, host=host, port=port, log_config=None, access_log=False, http=BoundedHttp
        )
