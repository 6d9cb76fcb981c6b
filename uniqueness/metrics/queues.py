"""How long what waits has waited."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class QueueAges:
    """The ages of what waits, in seconds; all 0 where nothing does.

    Args:
        waiting: how many.
        median: of their ages.
        p95: what 95 of 100 do not exceed.
        oldest: age of the first.
    """

    waiting: int
    median: float
    p95: float
    oldest: float


def queue_ages(since: Iterable[float], now: float) -> QueueAges:
    """Tell the ages of what waits since some moments, by nearest rank.

    Args:
        since: Unix seconds of each; a moment to come counts as now.
        now: Unix seconds.
    """
    ages = sorted(max(0.0, now - moment) for moment in since)
    if not ages:
        return QueueAges(0, 0.0, 0.0, 0.0)

    def rank(share: float) -> float:
        return ages[math.ceil(share * len(ages)) - 1]

    return QueueAges(len(ages), rank(0.5), rank(0.95), ages[-1])
