"""`personhood calibrate`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from personhood.settings import Settings


def calibrate(
    directory: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="one folder of photographs a person"),
    ],
    out: Annotated[Path, typer.Option(help="the signed file for PERSONHOOD_CALIBRATION")] = Path(
        "calibration.json"
    ),
    target_fpir: Annotated[
        float, typer.Option(help="share of new people who may be refused by mistake")
    ] = 0.001,
    review_fpir: Annotated[
        float, typer.Option(help="share of new people who may be sent to review or refused")
    ] = 0.01,
    max_fnir: Annotated[
        float, typer.Option(help="share of those who come again who may be taken for new")
    ] = 0.05,
    rule: Annotated[
        Literal["sum", "all", "any"], typer.Option(help="how several models are fused")
    ] = "sum",
    leave_out: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="photographs, and pairs of folders of one person"
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="everything that was found, as JSON")] = None,
    plots: Annotated[Path | None, typer.Option(help="directory for pictures as PNG")] = None,
) -> None:
    """Measure the model pack on labelled photographs and sign the thresholds that follow."""
    from enrollment.face_models import open_models
    from enrollment.labelled import embed_labelled
    from enrollment.packs import load_packs
    from personhood.calibration_report import CalibrationReport
    from personhood.errors import FacesUnusable
    from personhood.leave_out import read_leave_out
    from personhood.policy import operator_key
    from uniqueness.calibration import Targets
    from uniqueness.calibration_file import public_key_of, write_calibration
    from uniqueness.calibration_plots import write_plots
    from uniqueness.fusion import Rule
    from uniqueness.measurement import measure

    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"{out.absolute().parent} is no directory", param_hint="--out")
    settings = Settings()
    targets = Targets(target_fpir, review_fpir, max_fnir)
    left_out = read_leave_out(leave_out, directory)
    models = open_models(load_packs(settings.model_pack, settings.models_dir()))
    with _progress("looking at photographs") as progress:
        labelled = embed_labelled(
            directory, models, left_out=left_out.photographs, progress=progress
        )
    if not labelled.files:
        raise FacesUnusable(
            f"{directory} has no usable photograph: it needs a folder for each person, as in "
            "Labeled Faces in the Wild"
        )
    with Console(stderr=True).status("comparing everyone with everyone"):
        measured = measure(
            labelled.models,
            labelled.vectors,
            labelled.people,
            targets=targets,
            digest=left_out.digest_with(labelled.digest),
            rule=Rule(rule),
            not_compared=left_out.pairs_among(labelled.names),
        )
    found = CalibrationReport.of(labelled, measured)
    key = operator_key(settings)
    write_calibration(out, measured.calibration, key)
    if report:
        report.write_text(found.to_json())
    if plots:
        write_plots(measured, plots)
    typer.echo(found.to_text())
    typer.echo(f"\nsigned by {public_key_of(key).hex()}")
    typer.echo(f"set PERSONHOOD_CALIBRATION={out.resolve()}")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)
