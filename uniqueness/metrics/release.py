"""What may leave the service: histograms of many, and tables without small cells.

A count of a few tells about these few, and a table's totals give a cell back that was left out
alone. So a cell of 1 to 9 is withheld (primary suppression), and then others with it, until whoever
sees the rest of the table and its totals cannot tell a withheld cell from any other count that is
withheld too (secondary suppression; Hundepool et al., "Statistical Disclosure Control", 2012,
chapter 4). Whether that holds is not argued but computed: the attacker's own linear programme gives
the least and the most that each withheld cell can be. A zero tells of nobody and is shown.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from uniqueness.metrics.activity import Table

FEWEST_SAMPLES: Final = 1000  # of a histogram that leaves
SMALLEST_CELL: Final = 10  # what is less, and not 0, is withheld

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ReleasedTable:
    """A table that may leave.

    Args:
        rows: names.
        columns: names.
        cells: by row, then by column; None is withheld.
        row_totals: None is withheld.
        column_totals: likewise.
        total: of all; None where it is small.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    row_totals: tuple[int | None, ...]
    column_totals: tuple[int | None, ...]
    total: int | None


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


def released(table: Table) -> ReleasedTable:
    """Withhold what could be told of a few people."""
    counts = np.array(table.counts, np.int64).reshape(len(table.rows), len(table.columns))
    whole = _with_totals(counts)
    hidden = _withheld(whole)
    shown = [
        [None if masked else int(count) for count, masked in zip(line, mask, strict=True)]
        for line, mask in zip(whole, hidden, strict=True)
    ]
    return ReleasedTable(
        table.rows,
        table.columns,
        tuple(tuple(line[:-1]) for line in shown[:-1]),
        tuple(line[-1] for line in shown[:-1]),
        tuple(shown[-1][:-1]),
        shown[-1][-1],
    )


def _with_totals(counts: Counts) -> Counts:
    with_rows = np.column_stack([counts, counts.sum(axis=1)])
    return np.vstack([with_rows, with_rows.sum(axis=0)])


def _withheld(whole: Counts) -> Mask:
    """(r + 1, c + 1) what is withheld of a table with its totals."""
    hidden = (whole > 0) & (whole < SMALLEST_CELL)
    while exposed := _exposed(whole, hidden):
        more = _next_to_hide(whole, hidden, exposed)
        if more is None:  # nothing is left that could cover for it
            return np.ones_like(hidden)
        hidden[more] = True
    return hidden


def _exposed(whole: Counts, hidden: Mask) -> list[tuple[int, int]]:
    """Small cells whose count an attacker could narrow down."""
    unknown = np.argwhere(hidden)
    if not unknown.size:
        return []
    equations, sides = _equations(whole, hidden)
    found = []
    for place, cell in enumerate(map(tuple, unknown)):
        if not 0 < whole[cell] < SMALLEST_CELL:
            continue
        low, high = (_extreme(equations, sides, place, sign) for sign in (1, -1))
        if low > 1 + 1e-6 or high < SMALLEST_CELL - 1 - 1e-6:
            found.append(cell)
    return found


def _extreme(
    equations: npt.NDArray[np.float64], sides: npt.NDArray[np.float64], place: int, sign: int
) -> float:
    """The least (sign 1) or the most (sign -1) that a withheld count can be."""
    goal = np.zeros(equations.shape[1])
    goal[place] = sign
    found = linprog(goal, A_eq=equations, b_eq=sides, method="highs")
    return sign * float(found.fun) if found.success else -sign * math.inf


def _equations(
    whole: Counts, hidden: Mask
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What the shown counts say about the withheld ones: each line sums up to its total."""
    number = np.full(whole.shape, -1)
    number[hidden] = np.arange(hidden.sum())
    rows, sides = [], []
    lines = [(whole[i], number[i]) for i in range(whole.shape[0])]
    lines += [(whole[:, j], number[:, j]) for j in range(whole.shape[1])]
    for values, numbers in lines:
        signs = np.ones(values.size)
        signs[-1] = -1.0  # parts less their total are 0
        row = np.zeros(int(hidden.sum()))
        np.add.at(row, numbers[numbers >= 0], signs[numbers >= 0])
        rows.append(row)
        sides.append(-(signs * values)[numbers < 0].sum())
    return np.array(rows), np.array(sides)


def _next_to_hide(
    whole: Counts, hidden: Mask, exposed: list[tuple[int, int]]
) -> tuple[int, int] | None:
    """The smallest count beside an exposed cell that is still shown; totals come last."""
    beside = np.zeros_like(hidden)
    for row, column in exposed:
        beside[row, :] = beside[:, column] = True
    choice = np.argwhere(beside & ~hidden & (whole > 0))
    if not choice.size:
        choice = np.argwhere(~hidden & (whole > 0))
    if not choice.size:
        return None
    is_total = (choice == np.array(whole.shape) - 1).any(axis=1)
    first = np.lexsort((whole[tuple(choice.T)], is_total))[0]
    return int(choice[first][0]), int(choice[first][1])
