"""What a model pack says of itself: `manifest.toml`, one table a model.

The same form serves the packs that come with the project and a user's own directory.
"""

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from enrollment.errors import ModelPackInvalid
from uniqueness.decision import Thresholds
from uniqueness.errors import InvalidThresholds

DetectorKind = Literal["yunet", "scrfd"]
Channels = Literal["RGB", "BGR"]

_Number = TypeVar("_Number", int, float)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[\w.-]+\.onnx")


@dataclass(frozen=True)
class ModelFile:
    """One ONNX file, pinned.

    Args:
        name: file name in the cache.
        sha256: full digest, lower-case hex; the trust in the file is this and nothing else.
        license: of the weights.
        carrier: `name==version` of the package on PyPI whose wheel carries the file, if any.
        member: path of the file inside that wheel.
    """

    name: str
    sha256: str
    license: str
    carrier: str | None = None
    member: str | None = None


@dataclass(frozen=True)
class DetectorSpec:
    """A detector and how to drive it.

    Args:
        min_confidence: below which something covers the face (`enrollment.quality`); 0 if unknown.
    """

    file: ModelFile
    kind: DetectorKind
    min_confidence: float = 0.0


@dataclass(frozen=True)
class EmbedderSpec:
    """An embedder of 112x112 faces and its preprocessing: (pixel - mean) / std, per channel."""

    file: ModelFile
    channels: Channels
    mean: float
    std: float
    max_batch: int


@dataclass(frozen=True)
class Manifest:
    """A parsed pack.

    Args:
        thresholds: cosines for review and duplicate.
        thresholds_source: how and on what they were measured.
        same_person: the cosine that any two frames of one session reach (`enrollment.frames`);
            the review threshold if the manifest names none.
    """

    name: str
    embedding_size: int
    detector: DetectorSpec
    embedder: EmbedderSpec
    thresholds: Thresholds
    thresholds_source: str
    same_person: float

    @property
    def files(self) -> tuple[ModelFile, ModelFile]:
        """The detector's file and the embedder's."""
        return self.detector.file, self.embedder.file

    @property
    def model(self) -> str:
        """Name and version that templates carry; changes with either file or preprocessing."""
        detector, embedder = self.files
        spec = self.embedder
        return (
            f"{self.name}:{detector.sha256[:12]}:{embedder.sha256[:12]}"
            f":{spec.channels}:{spec.mean:g}:{spec.std:g}"
        )


def parse_manifest(text: str) -> Manifest:
    """Parse a manifest.

    Raises:
        ModelPackInvalid: not TOML, a missing or mistyped key, or a value out of range.
    """
    try:
        table = tomllib.loads(text)
        return _manifest(table)
    except tomllib.TOMLDecodeError as error:
        raise ModelPackInvalid(f"the manifest is not TOML: {error}") from error
    except KeyError as error:
        raise ModelPackInvalid(f"the manifest lacks the key {error}") from error
    except (TypeError, ValueError, InvalidThresholds) as error:
        raise ModelPackInvalid(f"the manifest has a bad value: {error}") from error


def _manifest(table: dict[str, Any]) -> Manifest:
    detector, embedder, thresholds = table["detector"], table["embedder"], table["thresholds"]
    return Manifest(
        name=_one_of_pattern(table["name"], re.compile(r"[\w-]+")),
        embedding_size=_positive(table["embedding_size"]),
        detector=DetectorSpec(
            _file(detector),
            _one_of(detector["kind"], get_args(DetectorKind)),
            min_confidence=_fraction(float(detector.get("min_confidence", 0.0))),
        ),
        embedder=EmbedderSpec(
            _file(embedder),
            channels=_one_of(embedder["channels"], get_args(Channels)),
            mean=float(embedder["mean"]),
            std=_positive(float(embedder["std"])),
            max_batch=_positive(embedder["max_batch"]),
        ),
        thresholds=Thresholds(_cosine(thresholds["review"]), _cosine(thresholds["duplicate"])),
        thresholds_source=str(thresholds["source"]),
        same_person=_fraction(float(thresholds.get("same_person", thresholds["review"]))),
    )


def _file(table: dict[str, Any]) -> ModelFile:
    return ModelFile(
        name=_one_of_pattern(table["file"], _FILE_NAME),
        sha256=_one_of_pattern(table["sha256"], _SHA256),
        license=str(table["license"]),
        carrier=table.get("carrier"),
        member=table.get("member"),
    )


def _one_of(value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(map(str, allowed))}")
    return value


def _one_of_pattern(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r} does not match {pattern.pattern}")
    return value


def _cosine(value: Any) -> float:
    if not -1.0 <= float(value) <= 1.0:
        raise ValueError(f"{value} is no cosine")
    return float(value)


def _positive(value: _Number) -> _Number:
    if not value > 0:
        raise ValueError(f"{value} is not positive")
    return value


def _fraction(value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{value} is not in [0, 1)")
    return value
