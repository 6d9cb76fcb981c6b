"""The three answers of deduplication and the two thresholds between them."""

from dataclasses import dataclass
from enum import StrEnum

from uniqueness.errors import InvalidThresholds


class Decision(StrEnum):
    """Whether the person of a probe is in the gallery already."""

    UNIQUE = "unique"
    REVIEW = "review"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Thresholds:
    """Cosine similarities in [-1, 1] at which a probe stops being plainly new.

    Raises:
        InvalidThresholds: unless -1 <= review <= duplicate <= 1.
    """

    review: float
    duplicate: float

    def __post_init__(self) -> None:
        if not -1.0 <= self.review <= self.duplicate <= 1.0:
            raise InvalidThresholds(
                f"need -1 <= review <= duplicate <= 1, got {self.review} and {self.duplicate}"
            )

    def decide(self, score: float) -> Decision:
        """Decide by the highest cosine between the probe and anyone enrolled."""
        if score >= self.duplicate:
            return Decision.DUPLICATE
        if score >= self.review:
            return Decision.REVIEW
        return Decision.UNIQUE
