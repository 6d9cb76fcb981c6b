"""`personhood party`: one of the three that match without seeing a template, and who asks them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from personhood.settings import Settings

app = typer.Typer(
    help="Match as one of three parties, none of which sees a template.", no_args_is_help=True
)
PORT, LINKS_PORT = 8200, 8300


@app.command()
def init(
    index: Annotated[int | None, typer.Argument(min=0, max=2, help="which of the three")] = None,
    coordinator: Annotated[
        bool, typer.Option("--coordinator", help="the service that asks the parties, instead")
    ] = False,
    host: Annotated[str, typer.Option(help="under which the others reach it")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="of its API")] = PORT,
    links_port: Annotated[
        int, typer.Option(help="where its engine meets the others'")
    ] = LINKS_PORT,
) -> None:
    """Make the keys of a party, or of the coordinator, and the card that the others pin."""
    from uniqueness.private.trust import CARD, Card, PartyKeys, card_fingerprint, make_coordinator

    if (index is None) is not coordinator:
        raise typer.BadParameter("name which party this is, 0 to 2, or --coordinator")
    settings = Settings()
    card: Card
    if index is None:
        directory = settings.coordinator_dir()
        card = make_coordinator(directory)
    else:
        directory = settings.party_dir()
        url, links = f"https://{host}:{port}", f"{host}:{links_port}"
        card = PartyKeys.make(directory, index, url, links).card
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"card         {directory / CARD}")
    console.print(f"fingerprint  {_spaced(card_fingerprint(card))}")
    console.print("Give the others the card; compare the fingerprint with each of them by voice.")


@app.command()
def pin(
    cards: Annotated[list[Path], typer.Argument(help="of the three parties and the coordinator")],
    dimension: Annotated[
        int, typer.Option(help="values of a template: opencv has 128, buffalo_s and edgeface 512")
    ],
) -> None:
    """Trust these four from now on, and nobody else."""
    from personhood.party_app import pin as write_pins
    from uniqueness.private.trust import CARD, card_fingerprint, read_card

    settings = Settings()
    read = [read_card(path) for path in cards]
    homes = [settings.party_dir(), settings.coordinator_dir()]
    own = [home for home in homes if (home / CARD).exists()]
    if not own:
        raise typer.BadParameter("there are no keys here yet: personhood party init")
    console = Console(highlight=False, soft_wrap=True)
    for card in read:
        who = f"party {card.index}  " if hasattr(card, "index") else "coordinator"
        console.print(f"{who}  {_spaced(card_fingerprint(card))}")
    for home in own:
        circle = write_pins(home, read, dimension)
        console.print(f"circle       {_spaced(circle.fingerprint)}")
    console.print("The circle's fingerprint has to be the same at all four.")


@app.command()
def run(
    host: Annotated[str, typer.Option(help="address to listen on")] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="TCP port of its API")] = PORT,
    links: Annotated[
        str | None,
        typer.Option(help="HOST:PORT where its engine listens; as its card says if unset"),
    ] = None,
) -> None:
    """Keep shares, and match with the other two parties, until interrupted."""
    from personhood.logging import configure_logging
    from personhood.party_process import open_party

    settings = Settings()
    configure_logging(settings.log_format)
    with open_party(settings, host, port, links) as server:
        server.run()


@app.command()
def status() -> None:
    """Show where the parties stand; at a party, only where it stands itself."""
    from personhood.party_app import member_of
    from personhood.party_report import print_standing, standing
    from uniqueness.private.trust import CARD

    settings = Settings()
    coordinator = settings.coordinator_dir()
    at_coordinator = (coordinator / CARD).exists()
    member = member_of(coordinator if at_coordinator else settings.party_dir())
    told = standing(member)
    print_standing(told, Console(highlight=False))
    if told.trouble:
        raise typer.Exit(1)


@app.command()
def reshare() -> None:
    """Bring this machine's party, which runs, to where the other two are; also after a loss."""
    from personhood.party_app import member_of
    from uniqueness.errors import TrustInvalid
    from uniqueness.private.resharing import reshare as bring_back
    from uniqueness.private.shares import PARTIES

    member = member_of(Settings().party_dir())
    if member.index is None:
        raise TrustInvalid("this machine has no party: run it where the party is")
    indexes = [(member.index + step) % PARTIES for step in range(PARTIES)]
    with member.parties(indexes) as (lost, *others):
        before = lost.status().head
        with Console(stderr=True).status("resharing"):
            head = bring_back(lost, others)
    Console().print(f"party {member.index}: from number {before} to {head}", highlight=False)


@app.command()
def rotate() -> None:
    """Seal this machine's shares under a new key, also while the party runs."""
    from personhood.party_app import rotate_store

    with Console(stderr=True).status("sealing anew"):
        count = rotate_store(Settings())
    Console().print(f"{count} shares sealed under the new key", highlight=False)


@app.command()
def statistics(
    buckets: Annotated[int, typer.Option(min=1, max=256, help="of cosines from -1 to 1")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Count the scores of a sample of templates with all, where the service runs.

    Buckets with fewer than 1,000 are not told, and nothing is told again before the gallery has
    changed by 1,000. A template's comparison with itself is left out.
    """
    from personhood.parties import count_scores

    told = count_scores(Settings(), buckets)
    if as_json:
        typer.echo(json.dumps(asdict(told)))
        return
    for low, high, count in zip(told.edges, told.edges[1:], told.counts, strict=False):
        if count:
            typer.echo(f"{low:+.2f} to {high:+.2f}  {count}")


@app.command()
def install() -> None:
    """Make the Python environment of the matching engine, from pinned packages."""
    from uniqueness.private.environment import install_environment

    with Console(stderr=True).status("installing the matching engine"):
        python = install_environment(Settings().cache.expanduser())
    Console().print(f"engine: {python}", highlight=False)


@app.command()
def demo(
    faces: Annotated[
        Path | None, typer.Option(help="photographs, a folder a person; default: seven people")
    ] = None,
    people: Annotated[int, typer.Option(min=1, help="enrol so many before a party fails")] = 4,
) -> None:
    """Run three parties on this machine, enrol with them, kill one, lose one's store."""
    from personhood.demo.party_run import run_party_demo
    from personhood.demo.people import read_default_people, read_people
    from uniqueness.private.environment import install_environment

    settings = Settings()
    console = Console(highlight=False, soft_wrap=True)
    with console.status("installing the matching engine"):
        install_environment(settings.cache.expanduser())
    crowd = read_people(faces) if faces else read_default_people()
    run_party_demo(crowd, settings, console.print, people)


def _spaced(fingerprint: str) -> str:
    """In groups of eight, to be read out."""
    return " ".join(fingerprint[at : at + 8] for at in range(0, len(fingerprint), 8))
