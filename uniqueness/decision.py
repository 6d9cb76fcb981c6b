"""The three answers of deduplication, the two thresholds between them, and who sets these."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from uniqueness.errors import InvalidThresholds


class Decision(StrEnum):
    """Whether the person of a probe is in the gallery already."""

    UNIQUE = "unique"
    REVIEW = "review"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Thresholds:
    """Scores at which a probe stops being plainly new.

    The scale is the gallery's: cosines in [-1, 1] where one model is compared, log-likelihood
    ratios (natural logarithm, any finite number) where several are fused.

    Raises:
        InvalidThresholds: unless both are finite and review <= duplicate.
    """

    review: float
    duplicate: float

    def __post_init__(self) -> None:
        finite = math.isfinite(self.review) and math.isfinite(self.duplicate)
        if not (finite and self.review <= self.duplicate):
            raise InvalidThresholds(
                f"need finite review <= duplicate, got {self.review} and {self.duplicate}"
            )

    def decide(self, score: float) -> Decision:
        """Decide by the highest score between the probe and anyone enrolled."""
        if score >= self.duplicate:
            return Decision.DUPLICATE
        if score >= self.review:
            return Decision.REVIEW
        return Decision.UNIQUE

    def at(self, gallery_size: int) -> Self:  # noqa: ARG002 - fixed, whatever the size
        """As a policy: the same for every gallery."""
        return self

    @property
    def safe_population(self) -> None:
        """As a policy: fixed thresholds do not know it."""
        return


class ThresholdPolicy(Protocol):
    """Sets the thresholds of a gallery: `Thresholds` fixed ones, `Calibration` by its size."""

    def at(self, gallery_size: int) -> Thresholds:
        """The thresholds for a probe.

        Args:
            gallery_size: templates that a model's search compares the probe with; the number of
                people, where each has one.
        """
        ...

    @property
    def safe_population(self) -> int | None:
        """Largest gallery at which every target holds; None where that is not known."""
        ...
