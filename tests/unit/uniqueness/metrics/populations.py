"""Populations whose truth is known."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from uniqueness.generalized_pareto import GeneralizedPareto

Array = npt.NDArray[np.float64]

START, RATE, TAIL = 0.20, 0.01, GeneralizedPareto(-0.1, 0.04)  # of strangers' scores


def false_match_rate(score: float) -> float:
    """The share of strangers who reach a score from START on."""
    return RATE * float(TAIL.survival(score - START))


def nearest_scores(random: np.random.Generator, galleries: Array) -> Array:
    """The nearest stranger's score of a probe in each gallery."""
    reaching = -np.log(random.random(galleries.size)) / galleries  # f(nearest), exponential / N
    below = START - 0.1 * random.random(galleries.size)
    inside = reaching < RATE
    return np.where(inside, START + TAIL.excess(np.minimum(reaching / RATE, 1.0)), below)


def binned(scores: Array) -> dict[int, int]:
    """As the service counts them."""
    return dict(Counter(np.floor(scores * 100).astype(int).tolist()))
