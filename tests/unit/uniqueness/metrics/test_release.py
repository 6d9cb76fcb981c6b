"""No withheld count can be worked out from what is shown."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from uniqueness.metrics.release import (
    FEWEST_SAMPLES,
    SMALLEST_CELL,
    Released,
    releasable,
    released,
    released_count,
)

Groups = tuple[tuple[int, ...], ...]


def attacked(shown: Released, cell: tuple[int, ...], groups: Groups = ()) -> tuple[int, int]:
    """The least and the most that a cell can be, in whole numbers, given all that is shown."""
    low = np.array([0 if count is None else count for count in shown.ravel()], float)
    high = np.array([np.inf if count is None else count for count in shown.ravel()], float)
    places = np.arange(shown.size).reshape(shown.shape)
    sums = []
    parts = shown.shape[0] - 1 - len(groups)
    along_first = [(*group, parts + number) for number, group in enumerate(groups)]
    along_first.append(tuple(range(parts if groups else 0, shown.shape[0])))
    for axis in range(shown.ndim):
        for of in along_first if axis == 0 else [tuple(range(shown.shape[axis]))]:
            for line in np.moveaxis(places, axis, -1)[..., of].reshape(-1, len(of)):
                sums.append(np.zeros(shown.size))
                sums[-1][line[:-1]], sums[-1][line[-1]] = 1, -1
    goal = np.zeros(shown.size)
    goal[places[cell]] = 1
    found = [
        milp(
            sign * goal,
            constraints=LinearConstraint(np.array(sums), 0, 0),
            bounds=Bounds(low, high),
            integrality=np.ones(goal.size),
        )
        for sign in (1, -1)
    ]
    most = 10**9 if found[1].x is None else round(found[1].x @ goal)
    return round(found[0].x @ goal), most


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("axes", [2, 3])
def test_an_attacker_learns_of_a_small_cell_only_that_it_is_withheld(seed: int, axes: int) -> None:
    random = np.random.default_rng(seed)
    shape = random.integers(2, 5, axes)
    counts = random.negative_binomial(1, 0.02, shape) * random.integers(0, 2, shape)
    shown = released(counts)
    for cell in map(tuple, np.argwhere((counts > 0) & (counts < SMALLEST_CELL))):
        assert shown[cell] is None
        low, high = attacked(shown, cell)
        assert low <= 1
        assert high >= SMALLEST_CELL - 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "groups", [((0, 1, 2, 3, 4),), ((0,), (1, 2), (3, 4)), ((0, 1), (2, 3, 4))]
)
def test_nor_does_one_who_sees_the_totals_of_groups_too(seed: int, groups: Groups) -> None:
    random = np.random.default_rng(seed)
    counts = random.negative_binomial(1, 0.02, (5, 3, 4)) * random.integers(0, 2, (5, 3, 4))
    shown = released(counts, groups)
    assert shown.shape == (5 + len(groups) + 1, 4, 5)
    known = np.vectorize(lambda count: count is not None)(shown)
    totals = [counts[list(group)].sum(axis=0) for group in groups]
    whole = np.concatenate([counts, np.array(totals), counts.sum(axis=0, keepdims=True)])
    assert (shown[:, :-1, :-1][known[:, :-1, :-1]] == whole[known[:, :-1, :-1]]).all()
    for cell in map(tuple, np.argwhere((whole > 0) & (whole < SMALLEST_CELL))):
        assert shown[cell] is None
        low, high = attacked(shown, cell, groups)
        assert low <= 1
        assert high >= SMALLEST_CELL - 1


def test_the_only_kiosk_of_an_operator_is_withheld_with_it() -> None:
    shown = released(np.array([[3, 500], [400, 60], [300, 70]]), ((0,), (1, 2)))
    assert shown[0, 0] is shown[3, 0] is None


def test_a_small_cell_takes_others_with_it() -> None:
    assert released(np.array([[500, 3], [400, 60]])).tolist() == [
        [None, None, 503],
        [None, None, 460],
        [900, 63, 963],
    ]


def test_two_small_cells_do_not_protect_each_other_when_their_sum_is_small() -> None:
    shown = released(np.array([[500, 1, 1], [400, 60, 80], [300, 70, 90]]))
    assert shown[0, 1] is shown[0, 2] is None
    low, high = attacked(shown, (0, 1))
    assert (low, high >= SMALLEST_CELL - 1) == (0, True)


def test_what_is_large_or_nothing_is_shown() -> None:
    shown = released(np.array([[500, 0], [400, 60]]))
    assert shown.tolist() == [[500, 0, 500], [400, 60, 460], [900, 60, 960]]


def test_a_table_of_a_few_people_is_withheld_whole() -> None:
    shown = released(np.array([[3, 1], [0, 2]]))
    assert [count for count in shown.ravel() if count is not None] == [0]  # tells of nobody


def test_an_empty_table() -> None:
    assert released(np.zeros((0, 2), int)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, None), (9, None), (10, 10)])
def test_a_count_that_stands_alone(count: int, shown: int | None) -> None:
    assert released_count(count) == shown


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
