"""Score-level fusion: one score for a person out of the cosines of several models.

Cosines of two models are not comparable; their log-likelihood ratios are (`uniqueness.llr`).
A fused score is itself such a number, and its thresholds come from a calibration of the fused
scores, so that models which err together are not counted twice (Ross, Nandakumar, Jain:
"Handbook of Multibiometrics", 2006, on score-level fusion).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidFusion
from uniqueness.llr import LlrMap, ScoreArray

# An index rounds its float32 cosines otherwise than the exact score is rounded.
_ROUNDING = 1e-5


class Rule(StrEnum):
    """How log-likelihood ratios become one score."""

    SUM = "sum"  # the evidence of all models together
    ALL = "all"  # the lowest: every model must agree (AND)
    ANY = "any"  # the highest: one model is enough (OR)


@dataclass(frozen=True)
class Fusion:
    """A rule over models.

    Args:
        models: names and versions as templates carry them, the most telling first.
        maps: one a model.
        rule: what is done with the log-likelihood ratios.

    Raises:
        InvalidFusion: no model, a model twice, or not one map for each.
    """

    models: tuple[str, ...]
    maps: tuple[LlrMap, ...]
    rule: Rule

    def __post_init__(self) -> None:
        if not self.models or len(set(self.models)) != len(self.models):
            raise InvalidFusion("a fusion names each of its models once")
        if len(self.maps) != len(self.models):
            raise InvalidFusion(f"{len(self.models)} models need as many maps")

    @property
    def bounds(self) -> tuple[float, float]:
        """The fused score where every cosine is -1, and where every cosine is 1."""
        low, high = self.fuse(np.tile([-1.0, 1.0], (len(self.models), 1)))
        return float(low), float(high)

    def fuse(self, cosines: ScoreArray) -> npt.NDArray[np.float64]:
        """Fuse the cosines of persons or pairs.

        Args:
            cosines: (m, ...), models in the fusion's order. NaN where a person has no template
                of that model: no evidence for `SUM`, no agreement for `ALL`, ignored by `ANY`.

        Returns:
            (...) log-likelihood ratios; -inf where there is no template at all.

        Raises:
            InvalidFusion: the first axis is not the models.
        """
        if cosines.ndim == 0 or cosines.shape[0] != len(self.models):
            raise InvalidFusion(f"need a row of cosines for each of {len(self.models)} models")
        ratios = np.stack([to_llr(row) for to_llr, row in zip(self.maps, cosines, strict=True)])
        missing = np.isnan(ratios)
        if self.rule is Rule.SUM:
            total = np.where(missing, 0.0, ratios).sum(axis=0)
            return np.asarray(np.where(missing.all(axis=0), -np.inf, total), np.float64)
        ratios = np.where(missing, -np.inf, ratios)
        choose = np.min if self.rule is Rule.ALL else np.max
        return np.asarray(choose(ratios, axis=0), np.float64)

    def floors(self, floor: float) -> tuple[float | None, ...]:
        """From which cosine each model must be searched to find all who fuse to `floor` or more.

        Whoever reaches the floor is at or above the returned cosine of at least one model:

        - ANY: the highest ratio reaches it, so each model is searched from there.
        - ALL: every ratio reaches it, so the first model alone finds everybody.
        - SUM: were all k <= m ratios of a person below x = min(floor, floor / m), their sum would
          be below k x <= floor: for a floor above 0 as k x <= m x = floor, else as k x <= x.

        Args:
            floor: log-likelihood ratio; -inf asks for everybody.

        Returns:
            By model, a cosine in [-1, 1] (cosines are in that range), or None where the model
            need not be searched: another finds the same people, or no cosine is that high.
        """
        if math.isnan(floor):
            raise InvalidFusion("the floor of a search is a number")
        if floor == -math.inf:
            return (-1.0,) * len(self.models)
        if self.rule is Rule.ALL:
            return (_reachable(self.maps[0].cosine(floor)), *(None,) * (len(self.models) - 1))
        share = floor if self.rule is Rule.ANY else min(floor, floor / len(self.models))
        return tuple(_reachable(to_llr.cosine(share)) for to_llr in self.maps)


def _reachable(cosine: float) -> float | None:
    guarded = cosine - _ROUNDING
    return None if guarded > 1.0 else max(-1.0, guarded)
