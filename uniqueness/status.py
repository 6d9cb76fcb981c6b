"""What the operator is told about a gallery."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from uniqueness.decision import ThresholdPolicy, Thresholds

_NEAR = 0.8  # of the safe population, from which the operator is told

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GalleryStatus:
    """A gallery in numbers.

    Args:
        people: enrolled and not removed.
        templates: of these people, by model.
        people_by_models: people by the models of which they have templates, as "a + b"; while a
            model is retired: those with the old one alone, with both, with the new one alone.
        thresholds: of the next decision.
        safe_population: up to which the error rates hold; None where the policy does not know.
        saturations: probes since the gallery was opened that were near so many templates that
            all of these were listed; more than a few say that the thresholds are too low.
    """

    people: int
    templates: Mapping[str, int]
    people_by_models: Mapping[str, int]
    thresholds: Thresholds = field(repr=False)
    safe_population: int | None
    saturations: int

    @property
    def near_safe_population(self) -> bool:
        """Whether 80 % of the safe population is reached."""
        return self.safe_population is not None and self.people >= _NEAR * self.safe_population

    @property
    def beyond_safe_population(self) -> bool:
        """Whether the error rates no longer hold."""
        return self.safe_population is not None and self.people > self.safe_population


class PopulationWatch:
    """Warns once when the gallery nears the safe population, and once when it outgrows it."""

    def __init__(self, policy: ThresholdPolicy) -> None:
        self._policy = policy
        self._told = 0.0

    def look(self, size: int) -> None:
        """Warn if a gallery of this size passed a mark since the last look."""
        safe = self._policy.safe_population
        if safe is None:
            return
        if size > safe and self._told < 1.0:
            self._told = 1.0
            _log.warning(
                "the gallery holds %d templates, its error rates are known up to %d: more people "
                "go to review; calibrate a stronger model or add a second one",
                size,
                safe,
            )
        elif size >= _NEAR * safe and self._told < _NEAR:
            self._told = _NEAR
            _log.warning(
                "the gallery holds %d templates, its error rates are known up to %d: prepare a "
                "stronger model or a second one",
                size,
                safe,
            )
