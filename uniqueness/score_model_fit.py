"""Fitting the impostor model: where the tail begins, its parameters, and people drawn again.

The tail begins at the largest share of scores at which a generalised Pareto distribution fits:
by the Anderson-Darling distance, and by every deeper rate that can still be counted, within twice
the standard error. Intervals are a bootstrap over identities: a pair is no independent trial,
since all pairs of one person share that person.
"""

from dataclasses import dataclass

import numpy as np

from uniqueness.comparisons import Comparisons
from uniqueness.generalized_pareto import GeneralizedPareto, anderson_darling
from uniqueness.score_model import ImpostorModel, TailParameters
from uniqueness.score_model_scale import Array, Standardised, root, standardise

TAIL_SHARES = (2e-3, 1e-3, 5e-4, 2e-4)  # of all impostor scores; the largest that fits is taken
REPLICATES = 200
FEWEST_COUNTED = 40  # pairs behind a counted rate
_FEWEST_IN_TAIL = 100  # pairs
_TOLERANCE = 2.0  # standard errors
_LARGEST_DISTANCE = 1.1  # of Anderson and Darling
_LEVEL_AT = 1 / 5  # of the tail, where its rate is set to the counted one
_LARGEST_CROWD = 5000


@dataclass(frozen=True)
class TailCheck:
    """How well a tail beginning at one share of the scores fits.

    Args:
        share: of all impostor scores.
        pairs: in it.
        shape: fitted.
        shape_error: its standard error over the replicates.
        anderson_darling: A^2 of the fit.
        deviation: greatest |log(fitted / counted rate)| deeper in the tail, in standard errors;
            0 where nothing deeper can be counted.
    """

    share: float
    pairs: int
    shape: float
    shape_error: float
    anderson_darling: float
    deviation: float

    @property
    def fits(self) -> bool:
        """Whether nothing that was checked speaks against it."""
        return self.anderson_darling <= _LARGEST_DISTANCE and self.deviation <= _TOLERANCE


@dataclass(frozen=True, eq=False)
class FittedImpostors:
    """A model, and why its tail begins where it does.

    Args:
        model: for decisions.
        checks: every share that was tried, the largest first.
        chosen: which of them the model has.
        sample: the scores it was fitted to.
    """

    model: ImpostorModel
    checks: tuple[TailCheck, ...]
    chosen: int
    sample: Standardised

    def excesses(self) -> Array:
        """Excesses over the tail's start on the common scale, descending."""
        return _excesses(self.sample, self.checks[self.chosen].share)


def fit_impostors(
    comparisons: Comparisons, *, replicates: int = REPLICATES, seed: int = 0
) -> FittedImpostors:
    """Fit a model to all comparisons.

    Args:
        comparisons: of at least 100 people.
        replicates: of the bootstrap over identities.
        seed: of the people that it draws; the same seed gives the same model.
    """
    random = np.random.default_rng(seed)
    people = comparisons.person_count
    halves = random.permutation(people) % 2 == 0
    shares = [s for s in TAIL_SHARES if s * comparisons.impostor_pairs >= _FEWEST_IN_TAIL]
    shares = shares or [TAIL_SHARES[0]]
    levels = _countable_levels(comparisons.impostor_pairs)

    sample = standardise(comparisons, np.ones(people, np.int64), halves)
    fits = [_fit_tail(sample, share) for share in shares]
    deviations = _deviations(sample, fits, shares, levels)
    drawn_fits, drawn_deviations = [], []
    for _ in range(replicates):
        drawn = np.bincount(random.integers(people, size=people), minlength=people)
        again = standardise(comparisons, drawn, halves, sample.pull)
        drawn_fits.append([_fit_tail(again, share) for share in shares])
        drawn_deviations.append(_deviations(again, drawn_fits[-1], shares, levels))
    worst = (np.abs(deviations) / np.maximum(np.std(drawn_deviations, axis=0), 1e-9)).max(axis=1)

    checks = tuple(
        TailCheck(
            share=share,
            pairs=int(share * comparisons.impostor_pairs),
            shape=fit.shape,
            shape_error=float(np.std([again[i].shape for again in drawn_fits])),
            anderson_darling=anderson_darling(_tail(fit), _excesses(sample, share)),
            deviation=float(worst[i]),
        )
        for i, (share, fit) in enumerate(zip(shares, fits, strict=True))
    )
    chosen = next((i for i, check in enumerate(checks) if check.fits), len(checks) - 1)
    model = ImpostorModel(
        estimate=fits[chosen],
        replicates=tuple(again[chosen] for again in drawn_fits),
        crowd=_crowd(comparisons, sample, random),
    )
    return FittedImpostors(model, checks, chosen, sample)


def _countable_levels(pairs: int) -> Array:
    """Rates of half a decade each, down to the last with enough pairs behind it."""
    exponents = np.arange(2.5, np.log10(max(pairs, 1) / FEWEST_COUNTED), 0.5)
    return np.asarray(10.0**-exponents)


def _excesses(sample: Standardised, share: float) -> Array:
    count = sample.common.count(share)
    return np.asarray(sample.common.scores[:count] - sample.common.scores[count])


def _tail(fit: TailParameters) -> GeneralizedPareto:
    return GeneralizedPareto(fit.shape, fit.scale)


def _fit_tail(sample: Standardised, share: float) -> TailParameters:
    excesses = _excesses(sample, share)
    tail = GeneralizedPareto.fit(excesses, sample.common.weights[: excesses.size])
    start = float(sample.common.score(share))
    # The mean over probes of one common tail is the counted rate only as far as a probe's tail
    # does not depend on its place. So the level is set where the rate is still well counted.
    rate = _LEVEL_AT * share
    common = (sample.raw.score(rate) - sample.probes[0]) / np.exp(sample.probes[1])
    (a, b), (_, c) = sample.spread
    return TailParameters(
        level=rate / float(sample.weights @ tail.survival(common - start)),
        start=start,
        shape=tail.shape,
        scale=tail.scale,
        place=float(sample.center[0]),
        log_scale=float(sample.center[1]),
        spread=(float(a), float(b), float(c)),
    )


def _deviations(
    sample: Standardised, fits: list[TailParameters], shares: list[float], levels: Array
) -> Array:
    """log(fitted / counted rate) by tail and level; 0 where a tail does not reach so far down."""
    at = sample.common.score(levels)
    deviations = np.zeros((len(fits), max(1, levels.size)))
    for row, fit, share in zip(deviations, fits, shares, strict=True):
        fitted = share * _tail(fit).survival(at - fit.start)
        ratios = np.log(np.maximum(fitted, 1e-12) / levels)
        row[: levels.size] = np.where(levels < share / 2, ratios, 0.0)
    return deviations


def _crowd(comparisons: Comparisons, sample: Standardised, random: np.random.Generator) -> Array:
    """One probe a person, of mean 0 and unit covariance: the crowd's form, whatever its size."""
    one_each = np.unique(comparisons.people, return_index=True)[1]
    if one_each.size > _LARGEST_CROWD:
        one_each = random.choice(one_each, _LARGEST_CROWD, replace=False)
    points = sample.probes[:, one_each]
    centered = points - points.mean(axis=1, keepdims=True)
    whitened = np.linalg.pinv(root(centered @ centered.T / one_each.size)) @ centered
    return np.asarray(np.round(whitened.T, 5))
