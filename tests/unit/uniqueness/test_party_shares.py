"""What one party sees of a template: nothing that depends on it, over many runs.

Each bound is seven standard deviations of what pure noise gives, so that noise itself, which is
looked at in a hundred thousand places, practically never fails.
"""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest

from uniqueness.errors import InvalidTemplate
from uniqueness.private.quantised import QuantisedTemplate, quantise
from uniqueness.private.shares import PARTIES, RingArray, Share, split

RUNS, DIMENSION = 2000, 64
SIGMAS = 7.0


def template(seed: int) -> QuantisedTemplate:
    vector = np.random.default_rng(seed).normal(size=DIMENSION)
    return quantise((vector / np.linalg.norm(vector)).astype(np.float32))


@pytest.fixture(scope="module")
def seen() -> list[RingArray]:
    """For each party (RUNS, 2, d): its shares of one template, split again and again."""
    runs = [split(template(1)) for _ in range(RUNS)]
    return [np.stack([run[party].components for run in runs]) for party in range(PARTIES)]


# What a party can make of two numbers that it holds; wrapping is the ring's.
COMBINED: dict[str, Callable[[RingArray, RingArray], RingArray]] = {
    "one": lambda a, _: a,
    "the other": lambda _, b: b,
    "their sum": lambda a, b: a + b,
    "their difference": lambda a, b: a - b,
    "their exclusive or": lambda a, b: a ^ b,
    "their product": lambda a, b: (a | np.uint64(1)) * b,  # by an odd number: none is lost
}


@pytest.mark.parametrize("party", range(PARTIES))
@pytest.mark.parametrize("combined", COMBINED)
class TestViews:
    def test_does_not_follow_the_template(
        self, seen: list[RingArray], party: int, combined: str
    ) -> None:
        """Nor does any combination of two shares of the same person."""
        view = seen[party]
        own = COMBINED[combined](view[:, 0], view[:, 1])
        across = COMBINED[combined](view[: RUNS // 2, 0], view[RUNS // 2 :, 1])
        direction = template(1) / np.linalg.norm(template(1).astype(float))
        for values in (own, across):
            for scaled in (uniform(values), uniform(values << np.uint64(40))):  # high and low bits
                along = scaled @ direction  # (runs,), variance 1 for noise
                assert abs(along.mean()) * np.sqrt(len(along)) < SIGMAS
                spread = (along**2).mean() - 1
                assert abs(spread) * np.sqrt(len(along) / 2) < SIGMAS

    def test_each_bit_is_a_fair_coin(
        self, seen: list[RingArray], party: int, combined: str
    ) -> None:
        """Also at each single place, where the template is always the same."""
        values = COMBINED[combined](seen[party][:, 0], seen[party][:, 1])
        for bit in range(64):
            ones = ((values >> np.uint64(bit)) & np.uint64(1)).sum(axis=0).astype(float)
            away = (ones - RUNS / 2) / np.sqrt(RUNS / 4)
            assert np.abs(away).max() < SIGMAS
            assert abs(ones.sum() - RUNS * DIMENSION / 2) < SIGMAS * np.sqrt(RUNS * DIMENSION / 4)


def test_a_guess_is_not_confirmed_by_one_party(seen: list[RingArray]) -> None:
    """Subtract the template from what is held: what is left is no nearer to anything."""
    for view in seen:
        for component in (view[:, 0], view[:, 1], view[:, 0] + view[:, 1]):
            for guess in (template(1), template(2)):
                left = component - guess.astype(np.int64).view(np.uint64)
                small = (left + np.uint64(2**20) < np.uint64(2**21)).sum()
                assert small == 0  # one number in 2^43 by chance
                assert abs(uniform(left).mean()) * np.sqrt(left.size) < SIGMAS


def test_two_parties_have_all_of_it() -> None:
    """The assumption that must hold: no two of the three work together."""
    shares = split(template(1))
    for one, two in permutations(range(PARTIES), 2):
        held = {
            (party + place) % PARTIES: shares[party].components[place]
            for party in (one, two)
            for place in range(2)
        }
        together = sum(held.values(), np.zeros(DIMENSION, np.uint64))
        np.testing.assert_array_equal(together.view(np.int64), template(1))


def test_neighbours_hold_the_same_component() -> None:
    shares = split(template(1))
    for party in range(PARTIES):
        following = shares[(party + 1) % PARTIES]
        np.testing.assert_array_equal(shares[party].components[1], following.components[0])


def test_no_two_splits_are_alike(seen: list[RingArray]) -> None:
    for view in seen:
        assert len(np.unique(view.ravel())) == view.size


def test_a_share_is_read_as_it_was_written() -> None:
    share = split(template(1))[0]
    np.testing.assert_array_equal(Share.from_bytes(share.to_bytes()).components, share.components)
    assert len(share.to_bytes()) == 2 * 8 * DIMENSION
    assert "components" not in repr(share)
    for wrong in (b"", b"x" * 15, b"x" * 17):
        with pytest.raises(InvalidTemplate):
            Share.from_bytes(wrong)


def uniform(values: RingArray) -> np.ndarray:
    """To mean 0 and variance 1, if they are evenly spread over the ring."""
    return (values.view(np.int64) / 2.0**63) * np.sqrt(3)
