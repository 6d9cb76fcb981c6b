"""No withheld count can be worked out from what is shown."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from uniqueness.metrics.activity import Table
from uniqueness.metrics.release import (
    FEWEST_SAMPLES,
    SMALLEST_CELL,
    ReleasedTable,
    releasable,
    released,
)


def table(counts: list[list[int]]) -> Table:
    rows = tuple(f"row {i}" for i in range(len(counts)))
    return Table(
        rows, tuple(f"column {j}" for j in range(len(counts[0]))), tuple(map(tuple, counts))
    )


def attacked(shown: ReleasedTable, row: int, column: int) -> tuple[int, int]:
    """The least and the most that a cell can be, in whole numbers, given all that is shown."""
    height, width = len(shown.rows) + 1, len(shown.columns) + 1
    lines = [[*cells, total] for cells, total in zip(shown.cells, shown.row_totals, strict=True)]
    lines.append([*shown.column_totals, shown.total])
    low = np.array([[0 if c is None else c for c in line] for line in lines], float)
    high = np.array([[np.inf if c is None else c for c in line] for line in lines], float)
    sums = []
    for i in range(height):
        sums.append(np.zeros((height, width)))
        sums[-1][i, :-1], sums[-1][i, -1] = 1, -1
    for j in range(width):
        sums.append(np.zeros((height, width)))
        sums[-1][:-1, j], sums[-1][-1, j] = 1, -1
    constraints = LinearConstraint(np.array(sums).reshape(len(sums), -1), 0, 0)
    goal = np.zeros((height, width))
    goal[row, column] = 1
    found = [
        milp(
            sign * goal.ravel(),
            constraints=constraints,
            bounds=Bounds(low.ravel(), high.ravel()),
            integrality=np.ones(goal.size),
        )
        for sign in (1, -1)
    ]
    return round(found[0].x @ goal.ravel()), (
        round(found[1].x @ goal.ravel()) if found[1].x is not None else 10**9
    )


@pytest.mark.parametrize("seed", range(12))
def test_an_attacker_learns_of_a_small_cell_only_that_it_is_withheld(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = random.integers(2, 6, 2)
    counts = random.negative_binomial(1, 0.02, shape) * random.integers(0, 2, shape)
    shown = released(table(counts.tolist()))
    for row, column in np.argwhere((counts > 0) & (counts < SMALLEST_CELL)):
        assert shown.cells[row][column] is None
        low, high = attacked(shown, int(row), int(column))
        assert low <= 1
        assert high >= SMALLEST_CELL - 1


def test_a_small_cell_takes_others_with_it() -> None:
    shown = released(table([[500, 3], [400, 60]]))
    assert shown.cells == ((None, None), (None, None))
    assert shown.total == 963


def test_two_small_cells_do_not_protect_each_other_when_their_sum_is_small() -> None:
    shown = released(table([[500, 1, 1], [400, 60, 80], [300, 70, 90]]))
    assert shown.cells[0][1] is shown.cells[0][2] is None
    low, high = attacked(shown, 0, 1)
    assert (low, high >= SMALLEST_CELL - 1) == (0, True)


def test_what_is_large_or_nothing_is_shown() -> None:
    shown = released(table([[500, 0], [400, 60]]))
    assert shown.cells == ((500, 0), (400, 60))
    assert shown.row_totals == (500, 460)
    assert shown.column_totals == (900, 60)


def test_a_table_of_a_few_people_is_withheld_whole() -> None:
    shown = released(table([[3, 1], [0, 2]]))
    assert shown.cells == ((None, None), (0, None))  # that there is nothing tells of nobody
    assert shown.row_totals == (None, None)
    assert shown.total is None


def test_an_empty_table() -> None:
    assert released(Table((), ("a",), ())).total == 0


def test_blocks_leave_in_groups_of_a_thousand() -> None:
    blocks = {0: {5: 600}, 1: {5: 300, 6: 99}, 2: {6: 1}, 3: {7: 1500}, 4: {8: 999}, 5: {8: 9000}}
    assert releasable(blocks, open_block=5) == {0: {5: 900, 6: 100}, 3: {7: 1500}}
    assert releasable({0: {5: 999}}, open_block=1) == {}
    assert releasable({0: {5: 1000}}, open_block=0) == {}


def test_the_difference_of_two_releases_is_of_a_thousand_or_of_none() -> None:
    random = np.random.default_rng(1)
    blocks = {number: {int(random.integers(9)): int(random.integers(800))} for number in range(40)}
    sums = [
        sum(sum(group.values()) for group in releasable(blocks, open_block).values())
        for open_block in range(41)
    ]
    assert all(step == 0 or step >= FEWEST_SAMPLES for step in np.diff(sums))
