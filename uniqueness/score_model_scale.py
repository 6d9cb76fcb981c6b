"""Every probe's impostor scores on one scale: (score - place) / scale, with noise taken out.

A probe's place and scale come from its upper tenth of scores and are noisy; taken as they are
they would overstate how much people differ, and understate the tail that they share. Two halves
of the gallery give two estimates for each probe. Their covariance over probes is free of the
noise, and the estimates are drawn together to it (Louis, "Estimating a population of parameter
values using Bayes and empirical Bayes methods", 1984).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uniqueness.comparisons import Comparisons

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Of a probe's impostor scores, from which its place and scale are taken; all that are kept, where
# that is less (above 15,000 templates).
UPPER_SHARE = 0.1
_DEEPEST_SHARE = 0.016  # how much of each probe's scores is brought to the common scale
_NARROWEST = 0.2  # of the median scale: copies of one photograph have no scale of their own


@dataclass(frozen=True, eq=False)
class Ranked:
    """Scores in descending order.

    Args:
        scores: (s,)
        weights: (s,) of each.
        shares: (s,) of all impostor scores, that at or above each.
    """

    scores: Array
    weights: Array
    shares: Array

    def count(self, share: float) -> int:
        """How many scores make up a share."""
        return int(np.searchsorted(self.shares, share))

    def score(self, share: float | Array) -> Array:
        """The score that a share of all exceeds."""
        return np.asarray(self.scores[np.searchsorted(self.shares, share)])


@dataclass(frozen=True, eq=False)
class Standardised:
    """Probes of a sample of people.

    Args:
        center: (2,) mean over probes of place and log scale.
        spread: (2, 2) symmetric root of their covariance.
        pull: (2, 2) that drew the noisy estimates together.
        probes: (2, q) place and log scale of each.
        weights: (q,) summing to 1: every person drawn counts alike.
        raw: the highest impostor scores as they are.
        common: the same on the common scale.
    """

    center: Array
    spread: Array
    pull: Array
    probes: Array
    weights: Array
    raw: Ranked
    common: Ranked


def standardise(
    comparisons: Comparisons, drawn: IntArray, halves: BoolArray, pull: Array | None = None
) -> Standardised:
    """Bring every probe's scores to the common scale.

    Args:
        comparisons: all against all.
        drawn: (p,) how often each person is in the sample.
        halves: (p,) the half of the gallery that a person is in.
        pull: known from all people, where these are a bootstrap's.
    """
    photographs = np.maximum(np.bincount(comparisons.people, minlength=drawn.size), 1)
    weights = (drawn / photographs)[comparisons.people]
    used = np.flatnonzero(weights)
    weights = weights[used] / weights.sum()
    top = comparisons.top[used]
    with_whom = comparisons.people[comparisons.top_columns[used]]
    others = drawn.astype(np.float32)[with_whom]
    total = drawn[comparisons.people].sum() / comparisons.people.size * comparisons.impostors[used]

    whole = _upper(top, others, total)
    if pull is None:
        first = _upper(top, np.where(halves[with_whom], others, 0), total / 2)
        second = _upper(top, np.where(halves[with_whom], 0, others), total / 2)
        pull = _pull(whole, first, second, weights)
    center = whole @ weights
    probes = center[:, None] + pull @ (whole - center[:, None])

    deep = min(top.shape[1], max(50, int(_DEEPEST_SHARE * comparisons.people.size)))
    raw = top[:, :deep]
    common = (raw - probes[0][:, None]) / np.exp(probes[1])[:, None]
    pairs = others[:, :deep] * weights[:, None] / (weights @ total)
    inside = (common > 0) & (pairs > 0)
    return Standardised(
        center=center,
        spread=root(_covariance(probes, probes, weights)),
        pull=pull,
        probes=probes,
        weights=weights,
        raw=_rank(raw[inside], pairs[inside]),
        common=_rank(common[inside], pairs[inside]),
    )


def root(matrix: Array) -> Array:
    """The symmetric root of the nearest positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _rank(scores: npt.NDArray[np.floating], weights: Array) -> Ranked:
    order = np.argsort(-scores)
    return Ranked(scores[order].astype(np.float64), weights[order], np.cumsum(weights[order]))


def _upper(top: FloatArray, weights: FloatArray, total: Array) -> Array:
    """(2, q) the score that the upper share of each probe's exceeds, and log mean excess."""
    above = np.cumsum(weights, axis=1)
    count = np.minimum((above <= UPPER_SHARE * total[:, None]).sum(axis=1), top.shape[1] - 1)
    places = np.take_along_axis(top, count[:, None], 1)
    inside = np.where(np.arange(top.shape[1]) < count[:, None], weights, 0)
    # What lies below the place has no weight, but may be -inf where few were compared.
    excesses = np.where(inside > 0, top - places, 0)
    means = (inside * excesses).sum(axis=1) / np.maximum(inside.sum(axis=1), 1e-6)
    means = np.maximum(means, _NARROWEST * np.median(means))
    return np.stack([places[:, 0], np.log(means)]).astype(np.float64)


def _pull(whole: Array, first: Array, second: Array, weights: Array) -> Array:
    """What makes the covariance of (2, q) estimates the one without noise."""
    crossed = _covariance(first, second, weights)
    observed = _covariance(whole, whole, weights)
    return np.asarray(root((crossed + crossed.T) / 2) @ np.linalg.pinv(root(observed)))


def _covariance(a: Array, b: Array, weights: Array) -> Array:
    return np.asarray(((a - (a @ weights)[:, None]) * weights) @ (b - (b @ weights)[:, None]).T)
