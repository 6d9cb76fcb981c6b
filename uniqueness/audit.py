"""What the gallery's own records say: how many people, which outcomes, how scores lie.

Read from the database alone, beside a running service. No person, request or single score is
in there to be read.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from sqlalchemy import Engine, Row, func, select

from uniqueness.census import people_by_models
from uniqueness.database import writer
from uniqueness.decision import Decision, ThresholdPolicy, Thresholds
from uniqueness.metrics.release import releasable
from uniqueness.schema import HeadRow, OutcomeRow, ScoreCountRow
from uniqueness.store import create_tables
from uniqueness.tally import HISTOGRAM_BINS_PER_UNIT, REJECTED, SAME_BATCH, block_of

# Told apart without colour: in print, in grey, and by people who see colours differently.
_FACE = {Decision.UNIQUE: "0.8", Decision.REVIEW: "1.0", Decision.DUPLICATE: "0.55"}
_HATCH = {Decision.UNIQUE: "", Decision.REVIEW: "xxxx", Decision.DUPLICATE: "////"}


@dataclass(frozen=True)
class ScoreHistogram:
    """How the best impostor scores of one outcome lie.

    Args:
        outcome: unique, review or duplicate.
        model: what was compared; several fused models are named with a +.
        counts: bin b (see `uniqueness.tally.score_bin`) to number of probes.
        blocks: the same, by blocks of people enrolled (see `uniqueness.tally.block_of`).
    """

    outcome: str
    model: str
    counts: dict[int, int]
    blocks: dict[int, dict[int, int]] = field(repr=False)


@dataclass(frozen=True)
class AuditReport:
    """The state of deduplication.

    Args:
        people_enrolled: people with a template.
        safe_population: up to which the error rates hold; None where nobody knows.
        outcomes: decisions and rejections, by kind.
        rejections: captures that never became a probe, by the code of the reason.
        people_by_models: people by the models of which they have templates: while a model is
            retired, those with the old one alone, with both, with the new one alone.
        models: each model with a template, and what each outcome was decided by.
        histograms: one an outcome that has scores.
        open_block: the block that scores are being counted in.
        same_batch: probes that resembled somebody who came at the same moment.
    """

    people_enrolled: int
    safe_population: int | None
    people_by_models: dict[str, int]
    outcomes: dict[str, int]
    rejections: dict[str, int]
    models: tuple[str, ...]
    histograms: tuple[ScoreHistogram, ...]
    open_block: int
    same_batch: int

    @classmethod
    def read(cls, engine: Engine, policy: ThresholdPolicy | None = None) -> Self:
        """Read the report from a gallery's database, in one consistent view of it.

        Args:
            engine: of the database.
            policy: the gallery's, which knows the safe population.
        """
        outcomes = select(OutcomeRow.outcome, func.count()).group_by(OutcomeRow.outcome)
        rejections = (
            select(OutcomeRow.reason, func.count())
            .where(OutcomeRow.outcome == REJECTED)
            .group_by(OutcomeRow.reason)
        )
        same_batch = select(func.count()).where(OutcomeRow.reason == SAME_BATCH)
        models = select(OutcomeRow.model).distinct()
        scores = select(
            ScoreCountRow.outcome,
            ScoreCountRow.model,
            ScoreCountRow.block,
            ScoreCountRow.bin,
            ScoreCountRow.count,
        )
        with writer(engine).begin() as connection:
            create_tables(connection)
        with engine.begin() as connection:
            people = people_by_models(connection)
            stored = frozenset[str]().union(*people)
            return cls(
                people_enrolled=sum(people.values()),
                safe_population=policy.safe_population if policy else None,
                people_by_models=dict(
                    sorted((" + ".join(sorted(key)), count) for key, count in people.items())
                ),
                outcomes=_counts(connection.execute(outcomes)),
                rejections=_counts(connection.execute(rejections)),
                models=tuple(sorted(stored.union(connection.scalars(models)))),
                histograms=_histograms(connection.execute(scores)),
                open_block=block_of(connection.scalar(select(HeadRow.last_person)) or 0),
                same_batch=connection.scalar(same_batch) or 0,
            )

    def for_release(self) -> Self:
        """The report without what tells of fewer than a thousand probes.

        A histogram is that of whole blocks, of at least a thousand probes together, and none of
        them still open: so the difference of two reports tells of a thousand again, or of none.
        """
        released = []
        for histogram in self.histograms:
            if blocks := releasable(histogram.blocks, self.open_block):
                released.append(_histogram(histogram.outcome, histogram.model, blocks))
        return replace(self, histograms=tuple(released))

    def to_json(self) -> str:
        """Give the report for programs."""
        return json.dumps(asdict(self), indent=2)

    def to_text(self) -> str:
        """Give the report for people."""
        lines = [f"people enrolled  {self.people_enrolled}"]
        if self.safe_population is not None:
            beyond = self.people_enrolled > self.safe_population
            warning = ": the error rates are not known any more" if beyond else ""
            lines.append(f"safe population  {self.safe_population}{warning}")
        lines.append(f"model  {', '.join(self.models)}")
        if len(self.people_by_models) > 1:
            lines += ["", "people, by the models they have templates of"]
            lines += _table(self.people_by_models)
        lines += ["", "outcomes", *_table(self.outcomes)]
        lines += ["", "rejections, by reason", *_table(self.rejections)]
        if self.histograms:
            lines += ["", "best score against anyone enrolled, by outcome"]
        for histogram in self.histograms:
            total, low, high = _extent(histogram)
            line = f"  {histogram.outcome:<12}{total:>8}  from {low:.2f} to {high:.2f}"
            lines.append(line if len(self.models) == 1 else f"{line}  {histogram.model}")
        return "\n".join(lines)

    def plot(self, path: Path, thresholds: Thresholds | None = None) -> None:
        """Draw the histograms as a PNG, with the thresholds as lines where given.

        Scores of one scale alone: of whatever was compared most often.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        most = self.histograms[0].model if self.histograms else ""
        for histogram in (h for h in self.histograms if h.model == most):
            outcome = Decision(histogram.outcome)
            axes.bar(
                [number / HISTOGRAM_BINS_PER_UNIT for number in histogram.counts],
                list(histogram.counts.values()),
                width=1 / HISTOGRAM_BINS_PER_UNIT,
                align="edge",
                label=histogram.outcome,
                edgecolor="0.1",
                linewidth=0.4,
                facecolor=_FACE[outcome],
                hatch=_HATCH[outcome],
            )
        if thresholds:
            axes.axvline(thresholds.review, color="0", linestyle="--", label="review from")
            axes.axvline(thresholds.duplicate, color="0", linestyle="-", label="duplicate from")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(y=0.2)  # room for the legend above the bars
        axes.set_xlabel("best score (cosine similarity) against anyone enrolled before")
        axes.set_ylabel("enrolment attempts")
        axes.set_title(f"{self.people_enrolled} people enrolled")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper center", ncols=5, fontsize="small")
        figure.savefig(path, format="png", dpi=150)


def _counts(rows: Iterable[Row[str, int]]) -> dict[str, int]:
    return dict(sorted((name, int(count)) for name, count in rows))


def _histograms(rows: Iterable[Row[str, str, int, int, int]]) -> tuple[ScoreHistogram, ...]:
    counted: dict[tuple[str, str], dict[int, dict[int, int]]] = {}
    for outcome, model, block, number, count in sorted(rows):
        counted.setdefault((outcome, model), {}).setdefault(block, {})[number] = int(count)
    found = [_histogram(outcome, model, blocks) for (outcome, model), blocks in counted.items()]
    # The widest first, so that it is drawn behind the others.
    return tuple(sorted(found, key=lambda histogram: -sum(histogram.counts.values())))


def _histogram(outcome: str, model: str, blocks: dict[int, dict[int, int]]) -> ScoreHistogram:
    counts = sum((Counter(block) for block in blocks.values()), Counter[int]())
    return ScoreHistogram(outcome, model, dict(sorted(counts.items())), blocks)


def _extent(histogram: ScoreHistogram) -> tuple[int, float, float]:
    numbers = histogram.counts
    low, high = min(numbers), max(numbers) + 1
    return (
        sum(numbers.values()),
        low / HISTOGRAM_BINS_PER_UNIT,
        high / HISTOGRAM_BINS_PER_UNIT,
    )


def _table(counts: dict[str, int]) -> list[str]:
    return [f"  {name:<24}{count:>8}" for name, count in counts.items()] or ["  none"]
