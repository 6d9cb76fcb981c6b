"""What is counted of decisions: outcomes by the hour, scores by bins, never a single one."""

import math
import time
from collections.abc import Iterable
from typing import NamedTuple

from uniqueness import statements
from uniqueness.prepared import Driver

HISTOGRAM_BINS_PER_UNIT = 100  # a bin is 0.01 of cosine, or of log-likelihood ratio
BLOCK_PEOPLE = 1024  # scores are counted apart for each so many people enrolled
EARLIER = -1  # the block of what was counted before there were blocks
REJECTED = "rejected"
TEMPLATE_ADDED = "template_added"
REMOVED = "removed"
SATURATED = "saturated"
SAME_BATCH = "same_batch"  # the reason where the other person came at the same moment

_SECONDS_PER_HOUR = 3600
_BINNED_RANGE = 100.0  # of fused scores; cosines stay far within


class Outcome(NamedTuple):
    """One line of the decision log, and the score to be counted with it where there is one."""

    outcome: str
    model: str
    reason: str = ""
    score: float = -math.inf
    block: int = 0


def log_outcomes(driver: Driver, outcomes: Iterable[Outcome], hour: int) -> None:
    """Write lines of the decision log, and count their scores."""
    lines: list[dict[str, object]] = []
    scores: dict[tuple[str, str, int, int], int] = {}
    for line in outcomes:
        lines.append(
            {
                "hour": hour,
                "outcome": line.outcome,
                "reason": line.reason,
                "model": line.model,
            }
        )
        if math.isfinite(line.score):
            place = line.outcome, line.model, line.block, score_bin(line.score)
            scores[place] = scores.get(place, 0) + 1
    if lines:
        driver.run(statements.ADD_OUTCOMES, lines)
    if scores:
        counts = [
            {"outcome": outcome, "model": model, "block": block, "bin": number, "count": count}
            for (outcome, model, block, number), count in sorted(scores.items())
        ]
        driver.run(statements.COUNT_SCORES, counts)


def score_bin(score: float) -> int:
    """Number the bin of a score: bin b holds b/100 <= score < (b+1)/100.

    Fused scores beyond 100 on either side are counted at the end of the range.
    """
    binned = min(max(score, -_BINNED_RANGE), _BINNED_RANGE)
    return math.floor(binned * HISTOGRAM_BINS_PER_UNIT)


def block_of(last_person: int) -> int:
    """Number the block that scores are counted in while the newest person has this number.

    Blocks are of people and not of time, so that none is ever of a few.
    """
    return max(0, last_person - 1) // BLOCK_PEOPLE


def current_hour() -> int:
    """Hours since 1970 UTC, the finest time that is kept."""
    return int(time.time() // _SECONDS_PER_HOUR)
