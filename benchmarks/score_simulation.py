"""Impostor scores whose truth is known: each probe's are normal, with its own place and scale."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from uniqueness.comparisons import Comparisons, compare

_TRUE_PROBES = 100_000


@dataclass(frozen=True)
class NormalZoo:
    """Probes score N(m, s) against strangers, m ~ N(0, place_spread), log s ~ N(log .1, spread).

    Everybody is a probe with scores of their own, so the matrix is not symmetric; what is shared
    between the two sides of a pair is not what these tests are about.
    """

    place_spread: float
    scale_spread: float

    def comparisons(self, people: int, seed: int = 0) -> Comparisons:
        """Two templates of the first person, one of all others, all against all."""
        places, scales = self._probes(people + 1, seed)
        random = np.random.default_rng(seed + 1)

        def rows(wanted: slice) -> np.ndarray:
            noise = random.standard_normal((wanted.stop - wanted.start, people + 1))
            return places[wanted, None] + scales[wanted, None] * noise

        return compare(rows, np.append(np.arange(people), 0))

    def false_match_rate(self, threshold: float) -> float:
        return float(self._rates(threshold).mean())

    def fpir(self, threshold: float, gallery_size: int) -> float:
        return float(-np.expm1(gallery_size * np.log1p(-self._rates(threshold))).mean())

    def threshold(self, fpir: float, gallery_size: int) -> float:
        """The threshold at which this rate is true."""
        return float(brentq(lambda t: self.fpir(t, gallery_size) - fpir, 0.0, 3.0))

    def _rates(self, threshold: float) -> np.ndarray:
        places, scales = self._probes(_TRUE_PROBES, seed=99)
        return norm.sf((threshold - places) / scales)

    def _probes(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        places = random.normal(0.0, self.place_spread, count)
        return places, 0.1 * np.exp(random.normal(0.0, self.scale_spread, count))
