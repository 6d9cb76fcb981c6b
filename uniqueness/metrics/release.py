"""What may leave the service: histograms of many, and tables without small cells.

A count of a few tells about these few, and a table's totals give a cell back that was left out
alone. So a cell of 1 to 9 is withheld (primary suppression), and then others with it, until whoever
sees the rest of the table and its totals cannot tell a withheld cell from any other count that is
withheld too (secondary suppression; Hundepool et al., "Statistical Disclosure Control", 2012,
chapter 4). Whether that holds is not argued but computed: the attacker's own linear programme gives
the least and the most that each withheld cell can be. A zero tells of nobody and is shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import numpy as np
import numpy.typing as npt

FEWEST_SAMPLES: Final = 1000  # of a histogram that leaves
SMALLEST_CELL: Final = 10  # what is less, and not 0, is withheld

Cell = tuple[int, ...]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
Released = npt.NDArray[np.object_]
_T = TypeVar("_T", bound=np.generic)

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class _Sum:
    """Along an axis some places sum up to another one, which comes last."""

    axis: int
    places: tuple[int, ...]

    def lines(self, table: npt.NDArray[_T]) -> npt.NDArray[_T]:
        """(n, p) every line of a table along these places."""
        return np.moveaxis(table.take(self.places, self.axis), self.axis, -1).reshape(
            -1, len(self.places)
        )


@dataclass(frozen=True)
class _Layout:
    """Where the totals of a table stand, and of what.

    Args:
        shape: of the table without them.
        sums: in the order in which they are made.
    """

    shape: Cell
    sums: tuple[_Sum, ...]

    @classmethod
    def of(cls, shape: Cell, groups: Sequence[Sequence[int]]) -> Self:
        first = shape[0]
        sums = [_Sum(0, (*group, first + number)) for number, group in enumerate(groups)]
        parts = range(first, first + len(groups)) if groups else range(first)
        sums.append(_Sum(0, (*parts, first + len(groups))))
        sums += [_Sum(axis, tuple(range(shape[axis] + 1))) for axis in range(1, len(shape))]
        return cls(shape, tuple(sums))

    def with_totals(self, counts: Counts) -> Counts:
        for one in self.sums:
            total = counts.take(one.places[:-1], one.axis).sum(axis=one.axis, keepdims=True)
            counts = np.concatenate([counts, total], axis=one.axis)
        return counts

    def totals_among(self, cells: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """(n,) along how many axes each of (n, d) cells is a total."""
        return np.asarray((cells >= np.array(self.shape)).sum(axis=1))


def releasable(
    blocks: Mapping[int, Mapping[int, int]], open_block: int
) -> dict[int, dict[int, int]]:
    """Join closed blocks of a histogram to groups that may leave; what does not fill one stays.

    Groups begin and end at the same blocks whenever this is asked, so that the difference of two
    answers is of whole groups, too.

    Args:
        blocks: by number, ascending: bin to count.
        open_block: still counted in.

    Returns:
        By the number of its first block, each group's bins to counts.
    """
    groups: dict[int, dict[int, int]] = {}
    first, group = None, Counter[int]()
    for number in sorted(number for number in blocks if number < open_block):
        first = number if first is None else first
        group.update(blocks[number])
        if group.total() >= FEWEST_SAMPLES:
            groups[first] = dict(sorted(group.items()))
            first, group = None, Counter()
    return groups


def released(counts: Counts, groups: Sequence[Sequence[int]] = ()) -> Released:
    """Withhold what could be told of a few people.

    All tables that are published of some counts have to be slices of one answer: tables that were
    protected each by itself give the cells of one another back.

    Args:
        counts: (a, b, ...) along as many axes as there are properties.
        groups: g of them, places of the first axis whose sums are published as well; each place is
            in one of them. None are if left out.

    Returns:
        (a + g + 1, b + 1, ...) int, or None where withheld: along the first axis its groups' totals
        follow, and the last place of every axis is its total.
    """
    if len(groups) == 1:  # its total is that of all
        shown = released(counts)
        return np.concatenate([shown, shown[-1:]])
    layout = _Layout.of(counts.shape, groups)
    whole = layout.with_totals(counts)
    shown = whole.astype(object)
    shown[_withheld(whole, layout)] = None
    return shown


def released_count(count: int) -> int | None:
    """A count that stands alone; None where it is small."""
    return None if 0 < count < SMALLEST_CELL else count


def _withheld(whole: Counts, layout: _Layout) -> Mask:
    """What is withheld of a table with its totals.

    What is safe stays safe as more is withheld, so that each small cell is looked at once.
    """
    hidden = (whole > 0) & (whole < SMALLEST_CELL)
    for cell in map(tuple, np.argwhere(hidden)):
        while _is_exposed(whole, layout, hidden, cell):
            hidden[_next_to_hide(whole, layout, hidden, cell)] = True
    return hidden


def _is_exposed(whole: Counts, layout: _Layout, hidden: Mask, cell: Cell) -> bool:
    """Whether an attacker could narrow a small cell's count down."""
    from scipy.optimize import linprog

    if not (~hidden & (whole > 0)).any():
        return False  # nothing is shown that could tell
    equations, sides = _equations(whole, layout, hidden)
    goal = np.zeros(hidden.shape)
    goal[cell] = 1.0
    of_hidden = goal[hidden]
    low = linprog(of_hidden, A_eq=equations, b_eq=sides, method="highs")
    high = linprog(-of_hidden, A_eq=equations, b_eq=sides, method="highs")
    too_high = low.success and low.fun > 1 + _TOLERANCE
    return bool(too_high or (high.success and -high.fun < SMALLEST_CELL - 1 - _TOLERANCE))


def _equations(whole: Counts, layout: _Layout, hidden: Mask) -> tuple[Array, Array]:
    """What the shown counts say of the withheld ones: every line sums up to its total."""
    number = np.full(whole.shape, -1)
    number[hidden] = np.arange(hidden.sum())
    unknown, sides = [], []
    for one in layout.sums:
        signs = np.ones(len(one.places))
        signs[-1] = -1.0  # parts less their total are 0
        for values, places in zip(one.lines(whole), one.lines(number), strict=True):
            known = places < 0
            if known.all():
                continue
            row = np.zeros(int(hidden.sum()))
            row[places[~known]] = signs[~known]
            unknown.append(row)
            sides.append(-(signs * values)[known].sum())
    return np.array(unknown), np.array(sides)


def _next_to_hide(whole: Counts, layout: _Layout, hidden: Mask, cell: Cell) -> Cell:
    """What else to withhold: what covers for the most lines that hide one count alone.

    Among these totals last, what is beside the cell first, the smallest count first.
    """
    covers = np.zeros_like(whole)
    for one in layout.sums:
        lonely = hidden.take(one.places, one.axis).sum(axis=one.axis, keepdims=True) == 1
        along = np.moveaxis(covers, one.axis, 0)
        along[list(one.places)] += np.moveaxis(lonely, one.axis, 0)
    beside = np.zeros_like(hidden)
    for axis in range(whole.ndim):
        beside[tuple(slice(None) if a == axis else at for a, at in enumerate(cell))] = True
    shown = np.argwhere(~hidden & (whole > 0))
    at = tuple(shown.T)
    first = np.lexsort((whole[at], ~beside[at], layout.totals_among(shown), -covers[at]))[0]
    return tuple(int(place) for place in shown[first])
