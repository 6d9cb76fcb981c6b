"""`personhood demo`: the whole loop in one run."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from personhood.errors import DemoFailed
from personhood.settings import Settings


def demo(
    faces: Annotated[
        Path | None, typer.Option(help="photographs, a folder a person; default: seven people")
    ] = None,
    people: Annotated[
        int | None, typer.Option(min=1, help="enrol so many of them; default: all")
    ] = None,
    output: Annotated[Path, typer.Option(help="where the report is written")] = Path(),
) -> None:
    """Enrol people, refuse duplicates, pay everybody once; on a chain and database of its own."""
    from personhood.demo.people import read_bad_photographs, read_default_people, read_people
    from personhood.demo.run import run_demo

    console = Console()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # end chain and service
    crowd = read_people(faces) if faces else read_default_people()
    with Progress(console=console) as progress:
        report, plot = run_demo(crowd, read_bad_photographs(), Settings(), progress, wanted=people)
    report.photographs = str(faces) if faces else "seven people inside pinned packages"
    output.mkdir(parents=True, exist_ok=True)
    report.write_json(output / "demo-report.json")
    report.write_html(output / "demo-report.html", plot)
    report.print_table(console)
    console.print(f"written: {output / 'demo-report.json'}, {output / 'demo-report.html'}")
    if broken := report.broken_promises(every_face_decided=faces is None):
        raise DemoFailed(f"not as promised: {'; '.join(broken)}")
