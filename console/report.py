"""The audit report as operators download it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final


class ReportForm(StrEnum):
    """A form of the report, by what its file's name ends with."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"
    CSV = "csv"


MEDIA_TYPES: Final = {
    ReportForm.HTML: "text/html; charset=utf-8",
    ReportForm.PDF: "application/pdf",
    ReportForm.JSON: "application/json",
    ReportForm.CSV: "text/csv; charset=utf-8",
}

MakeReport = Callable[[ReportForm], bytes]
"""Makes a report of the state as it is; raises `ReportFailed`."""
