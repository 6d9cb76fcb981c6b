"""Whether one kiosk, or one day, has more of something than the others: exact tests, corrected.

A group's hits among its trials are compared with those of all other groups together by Fisher's
exact test, one-sided: given the totals, the hits of a group of equal rate are hypergeometric, so
no rate has to be known or estimated. Holm's correction (1979) over the groups keeps the chance
that any of them is named at or below `alpha`, where none is different.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from uniqueness.metrics.rates import CountedRate, counted_rate

ALPHA: Final = 0.01  # chance of a false alarm a table
FEWEST_HITS: Final = 10  # what fewer say is no burst, however unlikely


@dataclass(frozen=True)
class Alarm:
    """A group that has more hits than the others explain.

    Args:
        group: its name.
        rate: of its hits.
        others: the rate of all others together.
        p_value: chance of as many or more, corrected for the number of groups.
    """

    group: str
    rate: CountedRate
    others: CountedRate
    p_value: float


def bursts(counts: Mapping[str, tuple[int, int]], alpha: float = ALPHA) -> tuple[Alarm, ...]:
    """Name the groups with more hits than chance gives, the surest first.

    Args:
        counts: (hits, trials) of each group.
        alpha: most chance that any group is named where all have one rate.
    """
    from scipy.stats import hypergeom  # not at the top: it takes a second

    hits = sum(count for count, _ in counts.values())
    trials = sum(of for _, of in counts.values())
    p_values = {
        group: float(hypergeom.sf(count - 1, trials, hits, of))
        for group, (count, of) in counts.items()
    }
    found, corrected = [], 0.0
    for place, (group, p_value) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        corrected = max(corrected, min(1.0, p_value * (len(counts) - place)))
        if corrected > alpha:
            break
        count, of = counts[group]
        if count >= FEWEST_HITS:
            others = counted_rate(hits - count, trials - of)
            found.append(Alarm(group, counted_rate(count, of), others, corrected))
    return tuple(found)
