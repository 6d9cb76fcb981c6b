"""The chart of the overview: decisions by the hour as stacked bars, drawn as SVG attributes.

Told apart also without colour: each kind has its own pattern in `overview_live.html`, and the
page has the same numbers as a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from console.figures import KINDS, Hour

WIDTH: Final = 720
NARROW: Final = 340  # for a telephone
HEIGHT: Final = 180
_LEFT: Final = 40  # room for the numbers
_BOTTOM: Final = 24  # room for the hours
_TOP: Final = 8
_HALF_HOUR: Final = 17  # half as wide as an hour is written
_GAP: Final = 0.22  # of a bar's place


@dataclass(frozen=True)
class Bar:
    """One piece of a stack, in the chart's own units."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A number beside a line, or an hour below a bar."""

    position: float
    text: str


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    hours: tuple[Mark, ...]
    width: int
    height: int = HEIGHT
    left: int = _LEFT

    @classmethod
    def of(cls, hours: Sequence[Hour], width: int = WIDTH) -> Self:
        """Lay out the bars of some hours, the oldest at the left."""
        top = _round_up(max((hour.total for hour in hours), default=0))
        place = (width - _LEFT) / len(hours)
        ground = HEIGHT - _BOTTOM
        scale = (ground - _TOP) / top
        bars, marks = [], []
        for number, hour in enumerate(hours):
            x, y = _LEFT + number * place, float(ground)
            for kind in KINDS:
                height = hour.counts[kind] * scale
                if height:
                    y -= height
                    bars.append(Bar(kind, x + place * _GAP / 2, y, place * (1 - _GAP), height))
            starts = datetime.fromtimestamp(hour.starts_at, UTC)
            if starts.hour % 6 == 0:
                middle = min(x + place / 2, width - _HALF_HOUR)
                marks.append(Mark(middle, f"{starts:%H}:00"))
        lines = [Mark(ground - value * scale, f"{value:g}") for value in (0, top / 2, top)]
        return cls(tuple(bars), tuple(lines), tuple(marks), width)


def _round_up(count: int) -> int:
    """Give the next even number of the form 2, 4, 10, 20, 40, 100."""
    size = 2
    while size < count:
        size = size * 5 // 2 if str(size)[0] == "4" else size * 2
        if str(size)[0] == "8":
            size = size // 8 * 10
    return size
