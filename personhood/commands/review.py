"""`personhood review list|show|decide`: two people decide what the machine could not."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from personhood.settings import Settings

app = typer.Typer(help="Reviews that people decide.", no_args_is_help=True)

NameOption = Annotated[str, typer.Option("--as", help="who looks and votes; each votes once")]
CaseArgument = Annotated[str, typer.Argument(help="as `personhood review list` shows it")]


class Answer(StrEnum):
    """What a vote may say."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


@app.command("list")
def list_reviews(
    adjudicator: Annotated[
        str | None, typer.Option("--as", help="only those that await this person's vote")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for scripts")] = False,
) -> None:
    """Show the reviews that are open, the oldest first; and end those that broke off."""
    from personhood.review_desk import open_adjudication

    service = open_adjudication(Settings())
    service.finish_all()
    cases = service.queue(adjudicator)
    if as_json:
        told = [{"case": c.id, "opened_at": c.opened_at, "votes": len(c.votes)} for c in cases]
        typer.echo(json.dumps(told))
        return
    table = Table("case", "opened", "voted")
    for case in cases:
        opened = datetime.fromtimestamp(case.opened_at, UTC).isoformat(timespec="minutes")
        table.add_row(case.id, opened, ", ".join(case.votes))
    Console().print(table)


@app.command()
def show(
    case: CaseArgument,
    adjudicator: NameOption,
    browser: Annotated[bool, typer.Option(help="open the page in this machine's browser")] = True,
) -> None:
    """Show the pictures of a review in the browser until Enter is pressed; it is written down."""
    from personhood.picture_viewer import shown
    from personhood.review_desk import open_adjudication

    view = open_adjudication(Settings()).open(case, adjudicator)
    pictures = {"The person who came": view.images}
    for number, images in enumerate(view.candidates, 1):
        pictures[f"Enrolled person {number}"] = images
    with shown(f"Review {case}", pictures) as address:
        typer.echo(address)
        if browser:
            typer.launch(address)
        typer.prompt("Press Enter when you have looked", default="", show_default=False)


@app.command()
def decide(case: CaseArgument, verdict: Answer, adjudicator: NameOption) -> None:
    """Vote: is the person who came one of those enrolled?

    Two who agree decide; where they differ a third one is asked.
    """
    from enrollment.cases import Verdict
    from personhood.review_desk import open_adjudication

    told = open_adjudication(Settings()).vote(case, adjudicator, Verdict(verdict.value))
    if told.outcome is None:
        typer.echo(f"taken; {len(told.votes)} voted, another adjudicator has to")
    else:
        typer.echo(f"decided: {told.outcome.value}")
