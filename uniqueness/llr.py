"""Scores as log-likelihood ratios: logistic regression of genuine against impostor scores.

After Brümmer and du Preez, "Application-independent evaluation of speaker detection" (2006):
a monotone map from a score to log(P(score | one person) / P(score | two people)), fitted by the
prior-weighted logarithmic cost. Maps of several models make their scores comparable and, as far
as the models err independently, additive.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidFusion

ScoreArray = npt.NDArray[np.floating]

# Prior of a genuine pair in the cost. It weighs where on the score axis the map fits best; a
# gallery decides among many impostors, so far above an even prior.
DEFAULT_PRIOR = 1e-3
_MAX_STEPS = 100
_TOLERANCE = 1e-10
_RIDGE = 1e-6  # keeps the slope finite where the scores separate perfectly


@dataclass(frozen=True)
class LlrMap:
    """log-likelihood ratio = slope * cosine + offset, natural logarithm.

    Raises:
        InvalidFusion: unless slope > 0 and both are finite.
    """

    slope: float
    offset: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and np.isfinite(self.offset) and self.slope > 0):
            raise InvalidFusion(
                f"a map to log-likelihood ratios needs a finite slope above 0 and a finite "
                f"offset, got {self.slope} and {self.offset}"
            )

    def __call__(self, cosines: ScoreArray) -> npt.NDArray[np.float64]:
        """Map cosines of any shape; NaN stays NaN."""
        return self.slope * np.asarray(cosines, np.float64) + self.offset

    def cosine(self, llr: float) -> float:
        """The cosine whose log-likelihood ratio this is; may lie outside [-1, 1]."""
        return (llr - self.offset) / self.slope


def fit_llr(
    genuine: ScoreArray,
    impostor: ScoreArray,
    *,
    impostor_weights: npt.NDArray[np.number] | None = None,
    prior: float = DEFAULT_PRIOR,
) -> LlrMap:
    """Fit a map by Newton's method on the prior-weighted logistic cost.

    Args:
        genuine: (n,) scores of pairs of one person.
        impostor: (m,) scores of pairs of two.
        impostor_weights: (m,) how many pairs each stands for; one when left out.
        prior: of a genuine pair, in (0, 1).

    Raises:
        InvalidFusion: no scores of either kind, or genuine scores that are not the higher ones.
    """
    if genuine.size == 0 or impostor.size == 0:
        raise InvalidFusion("log-likelihood ratios need genuine and impostor scores")
    counts = np.ones(impostor.size) if impostor_weights is None else impostor_weights
    scores = np.concatenate([genuine, impostor]).astype(np.float64)
    is_genuine = np.arange(scores.size) < genuine.size
    shares = np.full(genuine.size, prior / genuine.size), (1 - prior) * counts / counts.sum()
    weights = np.concatenate(shares)
    center, scale = float(scores.mean()), float(scores.std()) or 1.0
    design = np.stack([(scores - center) / scale, np.ones_like(scores)])
    slope, offset = _newton(
        design, is_genuine.astype(np.float64), weights, np.log(prior / (1 - prior))
    )
    return LlrMap(slope / scale, offset - slope * center / scale)


def _newton(
    design: npt.NDArray[np.float64],
    labels: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    log_prior_odds: float,
) -> tuple[float, float]:
    """Minimise the weighted cost; each step is halved until it lowers the cost."""

    def cost(beta: npt.NDArray[np.float64]) -> float:
        logits = beta @ design + log_prior_odds
        losses = np.logaddexp(0.0, np.where(labels > 0, -logits, logits))
        return float(weights @ losses + 0.5 * _RIDGE * weights.max() * (beta @ beta))

    beta = np.zeros(2)
    now = cost(beta)
    for _ in range(_MAX_STEPS):
        predicted = 1.0 / (1.0 + np.exp(-np.clip(beta @ design + log_prior_odds, -500, 500)))
        ridge = _RIDGE * weights.max()
        gradient = design @ (weights * (predicted - labels)) + ridge * beta
        curvature = (design * (weights * predicted * (1 - predicted))) @ design.T
        step = np.linalg.solve(curvature + ridge * np.eye(2), gradient)
        while (after := cost(beta - step)) > now and np.abs(step).max() > _TOLERANCE:
            step = step / 2
        if np.abs(step).max() <= _TOLERANCE or now - after <= _TOLERANCE * abs(now):
            break
        beta, now = beta - step, after
    return float(beta[0]), float(beta[1])
