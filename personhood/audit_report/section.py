"""What a report is made of."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WITHHELD = "\N{MULTIPLICATION SIGN}"  # a small cell, and what would give it back


@dataclass(frozen=True)
class Table:
    """A table as people read it; the first column names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A picture.

    Args:
        name: of the picture, unique in the report.
        alt: what it shows, for who cannot see it.
        draw: makes it.
    """

    name: str
    alt: str
    draw: Callable[[], "Figure"]


@dataclass(frozen=True)
class Section:
    """A part of the report that comes from one source.

    Args:
        name: for programs.
        title: for people.
        basis: what it comes from, keys of the report's `basis`.
        text: paragraphs.
        tables: for people.
        plots: likewise.
        data: the figures, for programs; equal data of an equal basis is the same report.
        alarms: what somebody should look at, a sentence each.
    """

    name: str
    title: str
    basis: tuple[str, ...]
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()


def percent(share: float) -> str:
    """A share as people read it; a dash where there is none."""
    if math.isnan(share):
        return "-"
    return f"{100 * share:.3g} %" if share < 0.01 else f"{100 * share:.2f} %"
