"""`personhood audit report`."""

from pathlib import Path
from typing import Annotated

import typer

from personhood.settings import Settings

EXIT_DIFFERENT = 4  # an equal basis, and other figures


def report(
    out: Annotated[Path, typer.Option(help="directory for report.html, .pdf, .json, .csv")] = Path(
        "audit-report"
    ),
    trial: Annotated[
        list[Path] | None,
        typer.Option(help="CSV of a trial with known people: measure,kind,errors,trials"),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="an earlier report.json: name every figure that differs")
    ] = None,
) -> None:
    """Write an audit report: error rates with intervals, outcomes, alarms, claims.

    With --compare the log is read up to where the earlier report read it. Exit status 4: figures
    differ though their basis is the same.
    """
    from personhood.audit_report.document import read_report, write_report
    from personhood.audit_report.page import to_html
    from personhood.audit_report.pdf import write_pdf
    from personhood.audit_report.sources import basis_of, read_sources

    settings, trials = Settings(), trial or []
    earlier = read_report(compare) if compare else None
    sources = read_sources(
        settings, trials=trials, log_size=earlier["basis"]["log"]["entries"] if earlier else None
    )
    document = write_report(sources, basis_of(sources, trials))
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(document.to_json())
    (out / "report.csv").write_text(document.to_csv())
    (out / "report.html").write_text(to_html(document))
    write_pdf(out / "report.pdf", document)
    for alarm in document.alarms:
        typer.echo(f"look at this: {alarm}")
    typer.echo(f"written: {out}/report.html, report.pdf, report.json, report.csv")
    if earlier:
        _tell(document.as_data(), earlier)


def _tell(here: dict[str, object], there: dict[str, object]) -> None:
    from personhood.audit_report.document import compare

    found = compare(here, there)
    for name in found.moved_on:
        typer.echo(f"{name}: made from another state, not compared")
    for one in found.differences:
        typer.echo(f"{one.section} {one.figure}: {one.here} here, {one.there} there")
    if found.differences:
        raise typer.Exit(EXIT_DIFFERENT)
    typer.echo("every other figure is the same")
