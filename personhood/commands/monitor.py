"""`personhood monitor`."""

from typing import Annotated

import typer

from personhood.settings import Settings


def monitor(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port")] = 9465,
) -> None:
    """Tell Prometheus about publication, attesters and epochs; see PERSONHOOD_METRICS_TOKEN."""
    import uvicorn

    from personhood.errors import MetricsTokenMissing
    from personhood.logging import configure_logging
    from personhood.telemetry.chain import create_monitor

    settings = Settings()
    configure_logging(settings.log_format)
    token = settings.metrics_access()
    if token is None:
        raise MetricsTokenMissing("metrics are told with a token: set PERSONHOOD_METRICS_TOKEN")
    app = create_monitor(settings, token)
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, http="h11")
