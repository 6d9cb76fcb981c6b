"""The error rates of identification and of attack detection, by the standards' definitions.

ISO/IEC 19795-1:2021 (biometric performance), NIST FRTE 1:N (NIST IR 8271, section 3) and ISO/IEC
30107-3:2023 (presentation attacks). A search returns the highest score against a gallery of N:

    FPIR(N, T)  of searches whose person is not enrolled, the share with a score of T or more
    FNIR(N, T)  of searches whose person is enrolled, the share without the person at T or more
    FTA         of capture attempts, the share that gave no sample to search with
    FTE         of people, the share for whom no attempt gave one
    APCER       of attack presentations of one kind, the share taken for a person; the rate of a
                system is that of its worst kind
    BPCER       of people's own presentations, the share taken for an attack

What a running service counts is not enough for most of them, since it does not know who is who. So
they come from two sources: a trial with known people (`read_trial`), and what the decision log
counts (`operational_rates`), where each says what it leaves out.
"""

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from uniqueness.errors import TrialUnreadable
from uniqueness.metrics.activity import REJECTED, Event
from uniqueness.metrics.rates import CountedRate, counted_rate

MEASURES: Final = ("fpir", "fnir", "fta", "fte", "apcer", "bpcer")
COLUMNS: Final = ("measure", "kind", "errors", "trials")

_ATTEMPTS: Final = frozenset({"unique", "duplicate", "review", REJECTED})
_DECIDED: Final = "reviews that people decided to show two people"
_UNKNOWN: Final = "attempts refused as attacks; nobody knows which were"


@dataclass(frozen=True)
class ErrorRate:
    """One error rate.

    Args:
        measure: of `MEASURES`.
        kind: what was tried: a kind of attack, a group of people; may be empty.
        rate: with its interval and n.
        source: where it was counted, and what that leaves out.
    """

    measure: str
    kind: str
    rate: CountedRate
    source: str


def read_trial(lines: Iterable[str], source: str) -> tuple[ErrorRate, ...]:
    """Read what a trial with known people and known attacks counted.

    Args:
        lines: CSV with the columns measure, kind, errors, trials.
        source: the name of the trial.

    Raises:
        TrialUnreadable: a line that is no count of one of the measures; it is named.
    """
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise TrialUnreadable(f"{source}: the first line has to be {','.join(COLUMNS)}")
    rates = []
    for row in reader:
        try:
            rate = counted_rate(int(row["errors"]), int(row["trials"]))
        except (TypeError, ValueError) as error:
            raise TrialUnreadable(f"{source}, line {reader.line_num}: {error}") from error
        if row["measure"] not in MEASURES:
            raise TrialUnreadable(
                f"{source}, line {reader.line_num}: {row['measure']!r} is none of "
                f"{', '.join(MEASURES)}"
            )
        rates.append(ErrorRate(row["measure"], row["kind"] or "", rate, source))
    return tuple(rates)


def worst_attack(rates: Iterable[ErrorRate]) -> ErrorRate | None:
    """The kind of attack that passes most often: the APCER that ISO/IEC 30107-3 reports."""
    of_attacks = [rate for rate in rates if rate.measure == "apcer" and rate.rate.trials]
    return max(of_attacks, key=lambda r: (r.rate.estimate, r.rate.high), default=None)


def adjudicated_fpir(events: Iterable[Event]) -> ErrorRate:
    """Of the people found to be new, the share who were sent to review first.

    FPIR at the review threshold as people decided it. Who was refused as a duplicate by mistake is
    not among them, so that it is a lower bound of the whole.
    """
    new = different = 0
    for event in events:
        new += event.kind == "unique"
        different += event.kind == "adjudication" and event.reason == "different"
    rate = counted_rate(min(different, new), new)
    return ErrorRate("fpir", "to review, at least", rate, f"decision log: {_DECIDED}")


def operational_rates(
    events: Iterable[Event], attack_reasons: Collection[str]
) -> tuple[ErrorRate, ...]:
    """The rates that outcomes alone can tell.

    Args:
        events: of the decision log.
        attack_reasons: reasons of rejection that say a picture was shown, not a face.
    """
    attempts = attacks = failures = 0
    for event in events:
        if event.kind in _ATTEMPTS:
            attempts += 1
            is_attack = event.kind == REJECTED and event.reason in attack_reasons
            attacks += is_attack
            failures += event.kind == REJECTED and not is_attack
    source = "decision log: attempts, of which a person may make several"
    return (
        ErrorRate("fta", "", counted_rate(failures, attempts), source),
        ErrorRate("bpcer", "at most", counted_rate(attacks, attempts), f"decision log: {_UNKNOWN}"),
    )
