"""The audit report for whoever downloads it from the console."""

import tempfile
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from console.errors import ReportFailed
from console.report import ReportForm
from personhood.settings import Settings
from personhood.side_process import SideProcess

_PATIENCE: Final = 120.0  # seconds; plots of a large log take a while


class ReportMaker:
    """Makes reports in a process beside the service."""

    def __init__(self, settings: Settings, side: SideProcess) -> None:
        self._settings = settings
        self._side = side

    def make(self, form: ReportForm) -> bytes:
        """Make a report of the state as it is now.

        Raises:
            ReportFailed: something it is made from cannot be read, or it takes too long.
        """
        try:
            return self._side.submit(make_report, self._settings, form).result(_PATIENCE)
        except NotYet:
            raise ReportFailed(
                "The report takes too long for a page: run `personhood audit report`."
            ) from None
        except BrokenProcessPool:
            raise ReportFailed("The process that makes reports ended. Try again.") from None


def make_report(settings: Settings, form: ReportForm) -> bytes:
    """Make one form of the report; see `ReportMaker.make`."""
    from distribution.errors import DistributionError
    from personhood.audit_report.document import write_report
    from personhood.audit_report.page import to_html
    from personhood.audit_report.pdf import write_pdf
    from personhood.audit_report.sources import basis_of, read_sources

    try:
        sources = read_sources(settings)
    except DistributionError as error:
        raise ReportFailed(f"The chain cannot be read: {error}") from None
    document = write_report(sources, basis_of(sources, ()))
    if form is ReportForm.PDF:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "report.pdf"
            write_pdf(path, document)
            return path.read_bytes()
    if form is ReportForm.HTML:
        return to_html(document).encode()
    return (document.to_json() if form is ReportForm.JSON else document.to_csv()).encode()
