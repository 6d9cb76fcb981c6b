"""From labelled templates to a calibration, and to what speaks against the labels."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uniqueness.calibration import Calibration, CalibrationData, Targets
from uniqueness.comparisons import Comparisons, ScoreRows, compare, cosine_rows
from uniqueness.fusion import Fusion, Rule
from uniqueness.llr import LlrMap, fit_llr
from uniqueness.miss_rates import MissRates
from uniqueness.score_model_fit import FEWEST_COUNTED, REPLICATES, FittedImpostors, fit_impostors

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_EXPECTED_PAIRS = 0.5  # a score that fewer pairs of strangers should reach is suspected
_LIKE_STRANGERS = 0.05  # share of strangers who score as high as a suspected genuine pair


@dataclass(frozen=True)
class SuspectedLabel:
    """Two photographs whose score does not fit their labels.

    Args:
        first: number of the one.
        second: of the other.
        score: of the two.
    """

    first: int
    second: int
    score: float


@dataclass(frozen=True, eq=False)
class Measurement:
    """All that was found.

    Args:
        calibration: for the service.
        comparisons: the scores; fused where there are several models.
        fitted: the impostors' tail with its checks.
        same_person: pairs of two labels that score as one person, the highest first.
        different_people: pairs of one label that score as strangers, the lowest first.
    """

    calibration: Calibration
    comparisons: Comparisons
    fitted: FittedImpostors
    same_person: tuple[SuspectedLabel, ...]
    different_people: tuple[SuspectedLabel, ...]


def measure(
    models: Sequence[str],
    vectors: Sequence[FloatArray],
    people: IntArray,
    *,
    targets: Targets,
    digest: str,
    rule: Rule = Rule.SUM,
    not_compared: Collection[frozenset[int]] = (),
    replicates: int = REPLICATES,
) -> Measurement:
    """Compare all with all, fit the models of scores, and look for wrong labels.

    Args:
        models: names and versions, of the gallery's order; several are fused.
        vectors: by model, (n, d) float32 of unit norm.
        people: (n,) number of each one's person, from 0 without gaps.
        targets: what the thresholds are to hold.
        digest: of the photographs.
        rule: of the fusion.
        not_compared: pairs of people whose labels are known to be wrong.
        replicates: of the bootstrap over identities.

    Raises:
        CalibrationImpossible: too few people or photographs.
        InvalidFusion: scores of a model do not separate people at all.
    """
    fusion = None
    rows, bounds = cosine_rows(vectors[0]), (-1.0, 1.0)
    if len(models) > 1:
        maps = tuple(
            fit_map(compare(cosine_rows(v), people, not_compared=not_compared)) for v in vectors
        )
        fusion = Fusion(tuple(models), maps, rule)
        rows, bounds = fused_rows(fusion, vectors), fusion.bounds
    compared = compare(rows, people, bounds=bounds, not_compared=not_compared)
    fitted = fit_impostors(compared, replicates=replicates)
    calibration = Calibration(
        models=tuple(models),
        fusion=fusion,
        targets=targets,
        data=CalibrationData(
            digest=digest,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            photographs=people.size,
            people=compared.person_count,
            impostor_pairs=compared.impostor_pairs,
            genuine_pairs=compared.genuine.size,
            counted_rate=FEWEST_COUNTED / compared.impostor_pairs,
        ),
        impostors=fitted.model,
        misses=MissRates.count(compared),
    )
    return Measurement(
        calibration, compared, fitted, _same_person(compared, fitted), _different_people(compared)
    )


def fit_map(compared: Comparisons) -> LlrMap:
    """The log-likelihood ratio of one model's cosines."""
    cosines, counts = compared.impostor_sample()
    return fit_llr(compared.genuine, cosines, impostor_weights=counts)


def fused_rows(fusion: Fusion, vectors: Sequence[FloatArray]) -> ScoreRows:
    """Fused scores of rows of templates with all."""
    return lambda rows: fusion.fuse(np.stack([of[rows] @ of.T for of in vectors]))


def _same_person(compared: Comparisons, fitted: FittedImpostors) -> tuple[SuspectedLabel, ...]:
    """Impostor pairs higher than strangers come among so many."""
    probes, places = np.nonzero(compared.top > _rarely_reached(compared, fitted))
    others = compared.top_columns[probes, places]
    scores = compared.top[probes, places]
    once = np.flatnonzero(probes < others)
    once = once[np.argsort(-scores[once])]
    return tuple(SuspectedLabel(int(probes[i]), int(others[i]), float(scores[i])) for i in once)


def _rarely_reached(compared: Comparisons, fitted: FittedImpostors) -> float:
    """The score that too few pairs of strangers should reach for one of them to be seen.

    By an exponential tail, which is longer than the fitted ones, through the median excess, which
    a few wrong labels do not move as they move a fitted shape.
    """
    share = fitted.checks[0].share
    scores = fitted.sample.raw.scores[: fitted.sample.raw.count(share)]
    scale = (np.median(scores) - scores[-1]) / np.log(2)
    return float(scores[-1] + scale * np.log(share * compared.impostor_pairs / _EXPECTED_PAIRS))


def _different_people(compared: Comparisons) -> tuple[SuspectedLabel, ...]:
    """Genuine pairs that score no higher than many strangers do."""
    centers, counts = compared.impostor_sample()
    above = np.cumsum(counts[::-1])[::-1] / counts.sum()
    threshold = centers[np.searchsorted(-above, -_LIKE_STRANGERS)]
    low = np.flatnonzero(compared.genuine < threshold)
    low = low[np.argsort(compared.genuine[low])]
    pairs = compared.genuine_pairs
    return tuple(
        SuspectedLabel(int(pairs[i, 0]), int(pairs[i, 1]), float(compared.genuine[i])) for i in low
    )
