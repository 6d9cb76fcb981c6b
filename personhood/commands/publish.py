"""`personhood publish`: once, for ever (`--watch`), or only looking (`--status`)."""

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import structlog
import typer
from rich.console import Console

from personhood.settings import Settings

if TYPE_CHECKING:
    from distribution.publisher import Publisher, PublisherStatus
    from distribution.sender import Sender

# Seconds between looks at a transaction that one waits for; public endpoints count requests.
_LOCAL_POLL: Final = 0.05
_POLL: Final = 2.0
_log = structlog.get_logger("personhood.publish")


def publish(
    open_epoch: Annotated[
        bool, typer.Option("--open-epoch", help="also freeze the root for the current epoch")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="go on, in batches by size or age, until interrupted")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="send nothing: tell what is pending, and for how long")
    ] = False,
    every: Annotated[float, typer.Option(min=0.05, help="seconds between looks, with --watch")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="with --status: one JSON object")] = False,
) -> None:
    """Post the accepted commitments, the removals and the new root to the registry."""
    from distribution import claims
    from personhood.chain_access import open_chain
    from personhood.chain_app import open_publisher, publisher_status

    settings = Settings()
    chain, deployment = open_chain(settings)
    if status:
        _tell(publisher_status(settings, chain, deployment), as_json)
        return
    with open_publisher(settings, chain, deployment) as (publisher, sender):
        if watch:
            _watch(publisher, every, settings)
        else:
            _publish_all(publisher, sender, _LOCAL_POLL if chain.holds_accounts else _POLL)
    if open_epoch:
        epoch = claims.open_epoch(chain, deployment)
        Console().print(f"epoch {epoch.epoch} is open")


def _publish_all(publisher: "Publisher", sender: "Sender", poll: float) -> None:
    """Post all that waits, and return when it is in the chain."""
    from distribution.publisher import PURPOSE
    from distribution.sent import SentState

    posted: list[int] = []
    while (sent := publisher.step(flush=True)) or sender.journal.transactions(
        [SentState.SIGNED], PURPOSE
    ):
        if sent is not None:
            posted.append(sent.id)
        else:
            time.sleep(poll)
    done = [sender.journal.get(identifier) for identifier in posted]
    gas = sum(sent.gas_used or 0 for sent in done)
    Console().print(f"{publisher.published} published, {publisher.members} members, gas {gas:,}")


def _watch(publisher: "Publisher", every: float, settings: Settings) -> None:
    """Step by step, for ever: what fails is tried again."""
    from distribution.errors import DistributionError, PublishConflict
    from personhood.logging import configure_logging

    configure_logging(settings.log_format)
    while True:
        try:
            publisher.step()
        except PublishConflict:
            raise  # repeating it cannot help
        except DistributionError as failed:
            _log.error(failed.code, detail=str(failed))
        time.sleep(every)


def _tell(status: "PublisherStatus", as_json: bool) -> None:
    if as_json:
        under_way = [
            {"transaction": sent.hash, "state": sent.state.value, "block": sent.block}
            for sent in status.under_way
        ]
        typer.echo(json.dumps(asdict(status) | {"under_way": under_way}))
        return
    console = Console()
    console.print(f"members    {status.members} on the chain")
    console.print(
        f"waiting    {status.accepted} to be added, {status.removed} to be removed, "
        f"the oldest for {status.oldest} s"
    )
    for sent in status.under_way:
        console.print(f"under way  {sent.hash} {sent.state.value}", soft_wrap=True)
    console.print(f"final in   {_eta(status.eta)}")


def _eta(seconds: int | None) -> str:
    if seconds is None:
        return "the only member leaves as soon as somebody joins"
    return f"about {seconds} s" if seconds else "nothing is pending"
