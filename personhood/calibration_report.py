"""What a calibration found, for people and for programs."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Self

from enrollment.labelled import LabelledTemplates
from uniqueness.calibration import Calibration, Expected
from uniqueness.measurement import Measurement, SuspectedLabel
from uniqueness.miss_rates import Rate
from uniqueness.score_model_fit import TailCheck

GALLERIES = (100, 1000, 10_000, 100_000, 1_000_000, 10_000_000)
_SHOWN = 20  # lines of a list; the JSON report has all
_EXAMPLES = 3  # refused photographs; counts by reason tell more


@dataclass(frozen=True)
class CalibrationReport:
    """What was seen, what speaks against the labels, and what to expect.

    Args:
        calibration: as signed.
        rejected: photographs that show no one usable face, with the reason's code.
        same_person: pairs of two folders that score as one person: files and score.
        different_people: pairs of one folder that score as strangers.
        tail_checks: where the tail could begin.
        chosen: where it does.
        expected: by size of the gallery.
    """

    calibration: Calibration
    rejected: dict[str, str]
    same_person: tuple[tuple[str, str, float], ...]
    different_people: tuple[tuple[str, str, float], ...]
    tail_checks: tuple[TailCheck, ...]
    chosen: int
    expected: tuple[Expected, ...]

    @classmethod
    def of(cls, labelled: LabelledTemplates, measured: Measurement) -> Self:
        """Put the file names to what was measured."""

        def named(pair: SuspectedLabel) -> tuple[str, str, float]:
            return labelled.files[pair.first], labelled.files[pair.second], round(pair.score, 4)

        return cls(
            calibration=measured.calibration,
            rejected=labelled.rejected,
            same_person=tuple(map(named, measured.same_person)),
            different_people=tuple(map(named, measured.different_people)),
            tail_checks=measured.fitted.checks,
            chosen=measured.fitted.chosen,
            expected=tuple(measured.calibration.expected(size) for size in GALLERIES),
        )

    def to_json(self) -> str:
        """Give all of it for programs."""
        calibration = self.calibration
        found: dict[str, Any] = {
            "models": calibration.models,
            "rule": calibration.fusion.rule if calibration.fusion else None,
            "targets": asdict(calibration.targets),
            "data": asdict(calibration.data),
            "safe_population": calibration.safe_population,
            "safe_population_interval": calibration.safe_population_interval,
            "measured_population": calibration.measured_population,
            "rejected": self.rejected,
            "suspected_same_person": self.same_person,
            "suspected_different_people": self.different_people,
            "tail_checks": [asdict(check) | {"fits": check.fits} for check in self.tail_checks],
            "tail_chosen": self.tail_checks[self.chosen].share,
            "expected": [asdict(row) for row in self.expected],
        }
        return json.dumps(found, indent=2, allow_nan=False)

    def to_text(self) -> str:
        """Give the report for people."""
        return "\n".join(
            [
                *self._seen(),
                "",
                *self._suspected(),
                *self._tail(),
                "",
                *self._table(),
                *self._limits(),
            ]
        )

    def _seen(self) -> list[str]:
        data = self.calibration.data
        reasons = Counter(self.rejected.values())
        counts = ", ".join(f"{count} {code}" for code, count in reasons.most_common())
        return [
            f"models  {', '.join(self.calibration.models)}",
            f"used  {data.photographs} photographs of {data.people} people: "
            f"{data.genuine_pairs} pairs of one person, {data.impostor_pairs} of two",
            f"without one usable face  {len(self.rejected)}  {counts}".rstrip(),
            *_listed([f"  {code}  {file}" for file, code in self.rejected.items()], _EXAMPLES),
        ]

    def _suspected(self) -> list[str]:
        high = [f"  {score:7.3f}  {a}  {b}" for a, b, score in self.same_person]
        low = [f"  {score:7.3f}  {a}  {b}" for a, b, score in self.different_people]
        told = []
        if high:
            told += ["two labels that look like one person", *_listed(high)]
        if low:
            told += ["one label that looks like two people", *_listed(low)]
        if told:
            told += ["look at these, and name those that are wrong in a file for --leave-out", ""]
        return told

    def _tail(self) -> list[str]:
        check = self.tail_checks[self.chosen]
        fits = "fits" if check.fits else "FITS BADLY: look at the labels above, and at more people"
        return [
            f"tail  the highest {check.share:.2%} of scores, {check.pairs} pairs, shape "
            f"{check.shape:+.3f} +- {check.shape_error:.3f}, A2 {check.anderson_darling:.2f}, "
            f"deviation {check.deviation:.1f} s.e.: {fits}"
        ]

    def _table(self) -> list[str]:
        head = f"{'gallery':>10}  {'review':>7} {'duplicate':>9}  {'sent to review, 95 %':>26}"
        head += f"  {'as one rate':>11}  {'refused, 95 %':>26}  {'missed, 95 %':>26}"
        return [
            head,
            *(
                f"{row.gallery_size:>10,}  {row.thresholds.review:>7.3f} "
                f"{row.thresholds.duplicate:>9.3f}  {_rate(row.review_fpir)}"
                f"  {row.review_fpir_of_one_rate:>11.3%}"
                f"  {_rate(row.duplicate_fpir)}  {_rate(row.missed)}{_marks(row)}"
                for row in self.expected
            ),
            "* beyond the safe population   ~ extrapolated beyond what was counted",
        ]

    def _limits(self) -> list[str]:
        calibration = self.calibration
        low, high = calibration.safe_population_interval
        return [
            f"safe population  {calibration.safe_population:,}  (95 %: {low:,} to {high:,})",
            f"counted, not extrapolated, up to  {calibration.measured_population:,}",
        ]


def _rate(rate: Rate) -> str:
    text = f"{rate.estimate:.2%} ({rate.low:.2%}-{rate.high:.2%})"
    return f"{text:>26}"


def _marks(row: Expected) -> str:
    return (" " if row.holds_targets else " *") + ("~" if row.extrapolated else "")


def _listed(lines: list[str], shown: int = _SHOWN) -> list[str]:
    hidden = len(lines) - shown
    return lines if hidden <= 0 else [*lines[:shown], f"  and {hidden} more, see --report"]
