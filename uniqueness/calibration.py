"""A calibration: thresholds that follow the gallery's size, and what to expect of them.

The targets are shares of new people who may be refused, or sent to review, by mistake (FPIR). As
the gallery grows both thresholds rise to hold them. A higher review threshold misses more of
those who come again (FNIR); up to the safe population it misses no more than allowed. Beyond it
the review threshold stays where it is: more new people go to review than the target says, but no
more duplicates are missed. The duplicate threshold goes on rising.
"""

from dataclasses import dataclass, field
from functools import cached_property

from uniqueness.decision import Thresholds
from uniqueness.errors import CalibrationImpossible
from uniqueness.fusion import Fusion
from uniqueness.miss_rates import MissRates, Rate
from uniqueness.score_model import ImpostorModel, fpir_of_one_rate

LARGEST_TARGET = 0.1


@dataclass(frozen=True)
class Targets:
    """What an operator asks for.

    Args:
        duplicate_fpir: share of new people who may be refused as duplicates.
        review_fpir: share who may be sent to review, or refused.
        max_fnir: share of those who come again who may be accepted as new.

    Raises:
        CalibrationImpossible: unless 0 < duplicate <= review <= 0.1 and 0 < max_fnir < 1.
    """

    duplicate_fpir: float = 0.001
    review_fpir: float = 0.01
    max_fnir: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.duplicate_fpir <= self.review_fpir <= LARGEST_TARGET:
            raise CalibrationImpossible(
                f"need 0 < target FPIR for duplicates <= for review <= {LARGEST_TARGET}, got "
                f"{self.duplicate_fpir} and {self.review_fpir}"
            )
        if not 0.0 < self.max_fnir < 1.0:
            raise CalibrationImpossible(f"a share of misses is in (0, 1), not {self.max_fnir}")


@dataclass(frozen=True)
class CalibrationData:
    """What a calibration was measured on.

    Args:
        digest: SHA-256, hex, over the photographs and the pairs left out.
        date: of the measurement, ISO 8601.
        photographs: with one usable face.
        people: of them.
        impostor_pairs: compared, each once.
        genuine_pairs: likewise.
        counted_rate: the lowest false match rate with enough pairs behind it to be counted;
            what lies below is extrapolated by the model.
    """

    digest: str
    date: str
    photographs: int
    people: int
    impostor_pairs: int
    genuine_pairs: int
    counted_rate: float


@dataclass(frozen=True)
class Expected:
    """What a gallery of one size can expect.

    Args:
        gallery_size: templates.
        thresholds: there.
        duplicate_fpir: new people refused as duplicates.
        review_fpir: new people refused or sent to review.
        duplicate_fpir_of_one_rate: as if everyone were like everyone; for comparison only.
        review_fpir_of_one_rate: likewise.
        missed: of those who come again, accepted as new (FNIR).
        not_refused: of those who come again, accepted or sent to review.
        holds_targets: whether the gallery is within the safe population.
        extrapolated: whether a threshold lies beyond what could be counted in the data.
    """

    gallery_size: int
    thresholds: Thresholds
    duplicate_fpir: Rate
    review_fpir: Rate
    duplicate_fpir_of_one_rate: float
    review_fpir_of_one_rate: float
    missed: Rate
    not_refused: Rate
    holds_targets: bool
    extrapolated: bool


@dataclass(frozen=True, eq=False)
class Calibration:
    """The policy of a gallery whose error rates are known.

    Args:
        models: that the gallery compares, as its templates name them.
        fusion: of several models; None for one.
        targets: what was asked for.
        data: what was measured.
        impostors: scores of strangers; cosines, or log-likelihood ratios where fused.
        misses: scores of those who come again.
    """

    models: tuple[str, ...]
    fusion: Fusion | None
    targets: Targets
    data: CalibrationData
    impostors: ImpostorModel = field(repr=False)
    misses: MissRates = field(repr=False)
    _by_size: dict[int, Thresholds] = field(default_factory=dict, init=False, repr=False)

    def at(self, gallery_size: int) -> Thresholds:
        """Thresholds for a gallery, whose size is rounded up to two digits.

        Args:
            gallery_size: templates that a model's search compares a probe with.
        """
        size = _rounded_up(gallery_size)
        if size not in self._by_size:
            self._by_size[size] = self._thresholds(size)
        return self._by_size[size]

    def _thresholds(self, size: int) -> Thresholds:
        review = self.impostors.threshold(self.targets.review_fpir, size)
        duplicate = self.impostors.threshold(self.targets.duplicate_fpir, size)
        review = min(review, self._highest_review)
        # Copies of one photograph are one person at any size.
        return Thresholds(review, max(review, min(duplicate, self._highest_score)))

    @cached_property
    def safe_population(self) -> int:
        """The largest gallery whose review threshold holds its target and misses few enough."""
        return self.impostors.largest_gallery(self.targets.review_fpir, self._highest_review)

    @cached_property
    def safe_population_interval(self) -> tuple[int, int]:
        """The 95 % interval of the safe population as the impostors' fit leaves it."""
        return self.impostors.largest_gallery_interval(
            self.targets.review_fpir, self._highest_review
        )

    @cached_property
    def measured_population(self) -> int:
        """The largest gallery whose review threshold lies where false matches could be counted."""
        low, high = 0, 1
        while self.is_counted(high) and high < 2**40:
            low, high = high, 2 * high
        while high - low > max(1, low // 100):
            middle = (low + high) // 2
            low, high = (middle, high) if self.is_counted(middle) else (low, middle)
        return low

    def is_counted(self, gallery_size: int) -> bool:
        """Whether the review threshold of a size needs no extrapolation."""
        threshold = self.impostors.threshold(self.targets.review_fpir, gallery_size)
        return self.impostors.false_match_rate(threshold) >= self.data.counted_rate

    def expected(self, gallery_size: int) -> Expected:
        """The error rates of a gallery of this size with their 95 % intervals."""
        thresholds = self.at(gallery_size)
        review = self.impostors.false_match_rate(thresholds.review)
        duplicate = self.impostors.false_match_rate(thresholds.duplicate)
        return Expected(
            gallery_size=gallery_size,
            thresholds=thresholds,
            duplicate_fpir=self._fpir(thresholds.duplicate, gallery_size),
            review_fpir=self._fpir(thresholds.review, gallery_size),
            duplicate_fpir_of_one_rate=fpir_of_one_rate(duplicate, gallery_size),
            review_fpir_of_one_rate=fpir_of_one_rate(review, gallery_size),
            missed=self.misses.rate(thresholds.review),
            not_refused=self.misses.rate(thresholds.duplicate),
            holds_targets=gallery_size <= self.safe_population,
            extrapolated=duplicate < self.data.counted_rate,
        )

    @property
    def _highest_score(self) -> float:
        return 1.0 if self.fusion is None else self.fusion.bounds[1]

    @cached_property
    def _highest_review(self) -> float:
        """The highest threshold that misses no more than allowed."""
        return self.misses.threshold(self.targets.max_fnir)

    def _fpir(self, threshold: float, gallery_size: int) -> Rate:
        estimate = self.impostors.fpir(threshold, gallery_size)
        return Rate(estimate, *self.impostors.fpir_interval(threshold, gallery_size))


def _rounded_up(size: int) -> int:
    """To two significant digits: an approximation of the size that never errs downwards."""
    unit = 10 ** max(0, len(str(max(size, 1))) - 2)
    return int(-(-max(size, 1) // unit) * unit)
