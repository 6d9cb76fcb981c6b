"""`personhood chain` and `deploy`."""

import signal
import threading
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from rich.console import Console

from personhood.settings import Settings

_DECIMALS = 18  # of the local coin, of most tokens, and of a share of the pool
_LOCAL_ATTESTERS = 3


def chain(port: Annotated[int, typer.Option(help="TCP port on 127.0.0.1")] = 8545) -> None:
    """Run a local chain until interrupted; its state is kept between runs."""
    from distribution.local_node import start_local_node

    node = start_local_node(port, state=Settings().chain_state_file())
    Console().print(f"{node.name} answers at {node.url}; Ctrl-C stops it")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    node.close()


def deploy(
    amount: Annotated[
        str | None, typer.Option(help="income of one epoch, in coins; 100 unless a share is paid")
    ] = None,
    share: Annotated[
        str | None, typer.Option(help="instead: part of the pool paid out an epoch, such as 0.01")
    ] = None,
    least_claimants: Annotated[
        int, typer.Option(min=1, help="what a share is divided by, at least")
    ] = 100,
    epoch_length: Annotated[int, typer.Option(min=1, help="seconds")] = 7 * 24 * 3600,
    late_epochs: Annotated[int, typer.Option(min=0, help="past epochs still claimable")] = 4,
    migration_delay: Annotated[
        int | None, typer.Option(help="seconds; by default as long as an epoch can be claimed")
    ] = None,
    pool: Annotated[str, typer.Option(help="coins minted into a new local pool")] = "1000000",
    token: Annotated[
        str | None,
        typer.Option(help="ERC-20 to pay in, or `native`; without it a local coin is deployed"),
    ] = None,
) -> None:
    """Deploy the contracts and write the deployment file; does nothing where they stand already."""
    from distribution.chain import Chain
    from distribution.deployment import NATIVE, Deployment, Terms
    from distribution.deployment import deploy as deploy_contracts

    settings = Settings()
    endpoint = Chain.connect(settings.rpc_url, settings.gas_key())
    path = settings.deployment_file()
    if path.exists():
        deployment = Deployment.read(path).check(endpoint)
        Console().print("already deployed")
    else:
        if amount is not None and share is not None:
            raise typer.BadParameter("an amount or a share, not both")
        terms = Terms(
            attesters=_attesters(settings),
            quorum=settings.quorum,
            amount=0 if share else _to_units(amount or "100"),
            share=_to_units(share) if share else 0,
            least_claimants=least_claimants if share else 0,
            epoch_length=epoch_length,
            late_epochs=late_epochs,
            migration_delay=migration_delay,
            pool=_to_units(pool),
            token=NATIVE if token == "native" else token,
        )
        journal = path.with_suffix(".journal")
        deployment = deploy_contracts(endpoint, terms, journal)
        deployment.write(path)
        journal.unlink()
    Console().print(
        f"registry     {deployment.registry}\n"
        f"distributor  {deployment.distributor}\n"
        f"token        {deployment.token}\n"
        f"quorum       {deployment.quorum} of {len(deployment.attesters)} attesters"
    )


def _attesters(settings: Settings) -> tuple[str, ...]:
    """The addresses named, or those of keys made here."""
    from distribution.attestation import address_of, load_or_create_keys

    if settings.attesters is not None:
        return tuple(part.strip() for part in settings.attesters.split(","))
    keys = load_or_create_keys(settings.attester_keys_dir(), _LOCAL_ATTESTERS)
    Console().print(
        f"attesters    {len(keys)} keys on this machine: enough to try it, not independent"
    )
    return tuple(address_of(key) for key in keys)


def _to_units(coins: str) -> int:
    """Coins as smallest units, exactly: a float would round."""
    try:
        units = Decimal(coins).scaleb(_DECIMALS)
    except InvalidOperation:
        units = Decimal(0)
    if not units.is_finite() or units != units.to_integral_value() or units <= 0:
        raise typer.BadParameter(f"{coins} is no positive amount of coins, such as 100 or 0.5")
    return int(units)
