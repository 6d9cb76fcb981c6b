"""What a model pack says of itself: `manifest.toml`, one table a model.

The same form serves the packs that come with the project and a user's own directory. A pack holds
a detector and an embedder, or (its name starts with `pad-`) one model against presentation attacks.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from enrollment.errors import ModelPackInvalid
from uniqueness.decision import Thresholds
from uniqueness.errors import InvalidThresholds

DetectorKind = Literal["yunet", "scrfd"]
Channels = Literal["RGB", "BGR"]
PadFormat = Literal["onnx", "tfjs"]

_Number = TypeVar("_Number", int, float)
_Parsed = TypeVar("_Parsed", "Manifest", "PadManifest")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[\w.-]+\.onnx")
_PAD_FILE_NAME = re.compile(r"[\w.-]+\.(onnx|json|bin)")
_PAD_SUFFIXES = {"onnx": [".onnx"], "tfjs": [".json", ".bin"]}
_PAD_NAME = re.compile(r"pad-[\w-]+")


@dataclass(frozen=True)
class ModelFile:
    """One file of a model, pinned.

    Args:
        name: file name in the cache.
        sha256: full digest, lower-case hex; the trust in the file is this and nothing else.
        license: of the weights.
        carrier: the package that carries the file, if any: `name==version` of a wheel on PyPI, or
            `npm:name@version` of an archive on npm.
        member: path of the file inside that wheel or archive.
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


@dataclass(frozen=True)
class PadManifest:
    """A parsed pack of one model that tells a face from a picture of a face.

    The model sees a square around the face, scaled to `input_size` and normalised to
    (pixel - mean) / std, and answers with one number a class.

    Args:
        files: the ONNX file; or TensorFlow.js's graph (JSON) and then its weights.
        input_size: pixels.
        crop: side of the square over the longer side of the face's box.
        live: which of the numbers is the bona fide class's.
        logits: whether they still need a softmax.
        threshold: the least score of a bona fide presentation, in [0, 1).
        threshold_source: how and on what it was measured.
    """

    name: str
    format: PadFormat
    files: tuple[ModelFile, ...]
    input_size: int
    crop: float
    channels: Channels
    mean: float
    std: float
    live: int
    logits: bool
    threshold: float
    threshold_source: str


def parse_manifest(text: str) -> Manifest:
    """Parse the manifest of a pack with a detector and an embedder.

    Raises:
        ModelPackInvalid: not TOML, a missing or mistyped key, or a value out of range.
    """
    return _parse(text, _manifest)


def parse_pad_manifest(text: str) -> PadManifest:
    """Parse the manifest of a pack against presentation attacks.

    Raises:
        ModelPackInvalid: likewise.
    """
    return _parse(text, _pad_manifest)


def _parse(text: str, read: Callable[[dict[str, Any]], _Parsed]) -> _Parsed:
    try:
        return read(tomllib.loads(text))
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


def _pad_manifest(table: dict[str, Any]) -> PadManifest:
    pad = table["pad"]
    form = _one_of(pad["format"], get_args(PadFormat))
    files = tuple(_file(each, _PAD_FILE_NAME) for each in pad["files"])
    if [Path(file.name).suffix for file in files] != _PAD_SUFFIXES[form]:
        raise ValueError(f"a model as {form} has the files {', '.join(_PAD_SUFFIXES[form])}")
    return PadManifest(
        name=_one_of_pattern(table["name"], _PAD_NAME),
        format=form,
        files=files,
        input_size=_positive(pad["input_size"]),
        crop=_positive(float(pad["crop"])),
        channels=_one_of(pad["channels"], get_args(Channels)),
        mean=float(pad["mean"]),
        std=_positive(float(pad["std"])),
        live=int(pad["live"]),
        logits=_one_of(pad["logits"], (True, False)),
        threshold=_fraction(float(pad["threshold"])),
        threshold_source=str(pad["source"]),
    )


def _file(table: dict[str, Any], names: re.Pattern[str] = _FILE_NAME) -> ModelFile:
    return ModelFile(
        name=_one_of_pattern(table["file"], names),
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
