"""A directory of InsightFace models, their own packs included, made into a pack of ours.

`buffalo_l` and its like are directories of ONNX files, newer ones with a `manifest.json` (version
2). Adopting one pins its files: their digests go into a `manifest.toml` beside them and are checked
from then on. Thresholds must be given: they are never guessed.
"""

import hashlib
import json
import re
from pathlib import Path

from enrollment.engine import find_insightface_models
from enrollment.errors import ModelPackInvalid
from enrollment.manifest import Manifest, parse_manifest
from uniqueness.decision import Thresholds

MANIFEST = "manifest.toml"
_NOT_A_NAME = re.compile(r"[^\w-]")


def adopt_directory(
    directory: Path, thresholds: Thresholds, *, thresholds_source: str, license_of_weights: str
) -> Manifest:
    """Write the manifest of a directory with an SCRFD detector and an ArcFace-style embedder.

    Args:
        directory: of ONNX files; other models in it are left alone.
        thresholds: cosines, measured with these two models.
        thresholds_source: how and on what they were measured.
        license_of_weights: as their publisher names it.

    Raises:
        ModelPackInvalid: there is a manifest already, a model is missing, or InsightFace cannot
            read one or finds another digest than its own manifest names.
    """
    path = directory / MANIFEST
    if path.exists():
        raise ModelPackInvalid(f"{path} exists already: remove it to adopt the directory anew")
    models = find_insightface_models(directory)
    text = f"""\
# Adopted from InsightFace's format: the files as they were then.
name = "{_NOT_A_NAME.sub("-", directory.resolve().name)}"
embedding_size = {models.embedding_size}

[detector]
kind = "scrfd"
file = {json.dumps(models.detector.name)}
sha256 = "{_digest(models.detector)}"
license = {json.dumps(license_of_weights)}

[embedder]
file = {json.dumps(models.embedder.name)}
sha256 = "{_digest(models.embedder)}"
license = {json.dumps(license_of_weights)}
channels = "RGB"
mean = {models.mean}
std = {models.std}
max_batch = {models.max_batch}

[thresholds]
review = {thresholds.review}
duplicate = {thresholds.duplicate}
source = {json.dumps(thresholds_source)}
"""
    manifest = parse_manifest(text)
    path.write_text(text)
    return manifest


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
