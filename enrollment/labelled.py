"""Photographs whose people are known, one folder a person, as templates."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from enrollment.errors import CaptureRejected, FaceRejected
from enrollment.examination import Examiner
from enrollment.face_models import FaceModel
from enrollment.pose import Pose

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, eq=False)
class LabelledTemplates:
    """What the service would see in labelled photographs.

    Args:
        models: names and versions.
        files: (n,) path of each usable photograph within the directory, `person/file`.
        vectors: by model, (n, d) float32 of unit norm.
        rejected: path of each other photograph, with the code of the reason.
        digest: SHA-256, hex, over the paths and contents of all photographs.
    """

    models: tuple[str, ...]
    files: tuple[str, ...]
    vectors: tuple[npt.NDArray[np.float32], ...]
    rejected: dict[str, str]
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """The people, in alphabetical order: the names of the folders."""
        return tuple(sorted({file.split("/")[0] for file in self.files}))

    @property
    def people(self) -> npt.NDArray[np.int64]:
        """(n,) the place among `names` of each photograph's person."""
        number = {name: i for i, name in enumerate(self.names)}
        return np.array([number[file.split("/")[0]] for file in self.files], np.int64)


def find_photographs(directory: Path, left_out: Collection[str] = ()) -> list[Path]:
    """Photographs one folder below, in the order of their paths.

    Args:
        directory: holds one folder a person.
        left_out: paths within it, `person/file`.
    """
    found = (path for path in directory.glob("*/*") if path.suffix.lower() in SUFFIXES)
    return sorted(p for p in found if p.relative_to(directory).as_posix() not in left_out)


def embed_labelled(
    directory: Path,
    models: Sequence[FaceModel],
    *,
    left_out: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> LabelledTemplates:
    """Take every photograph the way of the service.

    A photograph in which a model sees no one usable face is left out for all, with its reason.

    Args:
        directory: one folder a person, its name the label.
        models: of the service.
        left_out: photographs not to be read, `person/file`.
        progress: told after each photograph how many are done, and of how many.
    """
    examiner = Examiner(models)
    paths = find_photographs(directory, left_out)
    files, vectors, rejected = [], [], {}
    digest = hashlib.sha256()
    for number, path in enumerate(paths, start=1):
        file, content = path.relative_to(directory).as_posix(), path.read_bytes()
        digest.update(f"{hashlib.sha256(content).hexdigest()} {file}\n".encode())
        try:
            templates = examiner.examine([content], [Pose.FRONT]).templates
        except (CaptureRejected, FaceRejected) as rejection:
            rejected[file] = rejection.code
        else:
            files.append(file)
            vectors.append([template.vector for template in templates])
        if progress:
            progress(number, len(paths))
    return LabelledTemplates(
        models=tuple(model.model for model in models),
        files=tuple(files),
        vectors=tuple(np.stack(of_model) for of_model in zip(*vectors, strict=True)),
        rejected=rejected,
        digest=digest.hexdigest(),
    )
