"""The report as PDF, for who prints and files it: the only file that speaks to ReportLab."""

import io
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Image,
    KeepTogether,
    ListFlowable,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Table as Grid

from personhood.audit_report.document import Document
from personhood.audit_report.page import basis_lines
from personhood.audit_report.section import Plot, Section, Table

_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_PICTURE = 0.8 * _WIDTH
_SHORT = 25  # rows
_NOTE_LETTERS = 135  # of a line, that a page has room for
_DPI = 220
_STYLES = getSampleStyleSheet()
_BODY = ParagraphStyle("body", _STYLES["BodyText"], fontSize=9.5, leading=13)
_TITLE = ParagraphStyle("title", _STYLES["Title"], fontSize=15, leading=19, alignment=0)
_CELL = ParagraphStyle("cell", _BODY, fontSize=7.8, leading=9.6)
_NUMBER = ParagraphStyle("number", _CELL, alignment=2)
_NOTE = ParagraphStyle("note", fontName="Courier", fontSize=6, leading=8)
_LINES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
)


def write_pdf(path: Path, document: Document) -> None:
    """Write the report as A4 pages."""
    story: list[Flowable] = [
        Paragraph("Does one person get one credential, and how do you know?", _TITLE),
        _paragraph(f"An audit of this gallery, made on {document.made_on}."),
        *_alarms(document),
    ]
    for section in document.sections:
        story += _section(section)
    story += [_heading("What this report rests on"), _basis(document), *_checkpoint(document)]
    SimpleDocTemplate(
        str(path),
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"personhood: audit of {document.made_on}",
        author="personhood audit report",
        lang="en",
        invariant=True,
    ).build(story, onFirstPage=_number, onLaterPages=_number)


def _alarms(document: Document) -> list[Flowable]:
    told: Flowable = _paragraph("Nothing: no alarm was raised.")
    if document.alarms:
        told = ListFlowable([_paragraph(a) for a in document.alarms], bulletType="bullet")
    return [_heading("What needs to be looked at"), told]


def _section(section: Section) -> list[Flowable]:
    blocks: list[Flowable] = [_paragraph(text) for text in section.text]
    for table in section.tables:
        if table.rows:
            caption = _paragraph(f"<b>{escape(table.caption)}</b>", raw=True)
            # A short table stands on one page with its caption; a long one may be divided.
            whole = [KeepTogether([caption, _grid(table)])]
            blocks += whole if len(table.rows) <= _SHORT else [caption, _grid(table)]
            blocks.append(Spacer(0, 3 * mm))
    blocks += [_image(plot) for plot in section.plots]
    # A heading never stands alone at the foot of a page.
    return [KeepTogether([_heading(section.title), *blocks[:1]]), *blocks[1:]]


def _grid(table: Table) -> Grid:
    head = [Paragraph(f"<b>{escape(name)}</b>", _style(at)) for at, name in enumerate(table.head)]
    body = [
        [Paragraph(escape(cell), _style(at)) for at, cell in enumerate(row)] for row in table.rows
    ]
    return Grid([head, *body], colWidths=_widths(table), repeatRows=1, style=_LINES, hAlign="LEFT")


def _widths(table: Table) -> list[float]:
    """By the longest word or number of each column, the first one and long texts wider."""
    lines = [table.head, *table.rows]
    longest = [min(34, max(len(line[at]) for line in lines)) for at in range(len(table.head))]
    wanted = [(4 + n) * 1.55 * mm for n in longest]
    return [width * min(1.0, _WIDTH / sum(wanted)) for width in wanted]


def _basis(document: Document) -> Grid:
    rows = [
        [Paragraph(escape(cell), _CELL) for cell in line] for line in basis_lines(document.basis)
    ]
    return Grid(rows, colWidths=[28 * mm, _WIDTH - 28 * mm], style=_LINES, hAlign="LEFT")


def _checkpoint(document: Document) -> list[Flowable]:
    """The note as it is signed, but for lines that are too long for a page."""
    told = _paragraph("The decision log up to here, as it signed it:")
    note = Preformatted(document.checkpoint, _NOTE, maxLineLength=_NOTE_LETTERS)
    return [Spacer(0, 3 * mm), KeepTogether([told, note])]


def _image(plot: Plot) -> Image:
    figure, picture = plot.draw(), io.BytesIO()
    figure.savefig(picture, format="png", dpi=_DPI)
    width, height = figure.get_size_inches()
    picture.seek(0)
    return Image(picture, _PICTURE, _PICTURE * height / width)


def _heading(text: str) -> Paragraph:
    return Paragraph(escape(text), _STYLES["Heading2"])


def _paragraph(text: str, *, raw: bool = False) -> Paragraph:
    return Paragraph(text if raw else escape(text), _BODY)


def _style(column: int) -> ParagraphStyle:
    return _NUMBER if column else _CELL


def _number(canvas: Canvas, _: Any) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"{canvas.getPageNumber()}")
