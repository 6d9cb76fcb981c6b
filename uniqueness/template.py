"""A person as the gallery knows them: unit vectors, each with the model that made it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidTemplate

FloatArray = npt.NDArray[np.float32]

# float32 rounding of a 512-d norm stays below 1e-6; anything above is not a unit vector.
_NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Template:
    """A biometric template.

    Args:
        vector: (d,) float32 of unit Euclidean norm, so that an inner product is a cosine.
        model: name and version of the embedder; templates of two models never meet.

    Raises:
        InvalidTemplate: wrong shape, dtype or norm, or values that are not finite.
    """

    vector: FloatArray = field(repr=False)
    model: str

    def __post_init__(self) -> None:
        vector = self.vector
        if vector.ndim != 1 or vector.size == 0 or vector.dtype != np.float32:
            raise InvalidTemplate(
                f"a template is a (d,) float32 vector, not {vector.shape} {vector.dtype}"
            )
        # A NaN fails the comparison too.
        if not abs(float(np.linalg.norm(vector)) - 1.0) <= _NORM_TOLERANCE:
            raise InvalidTemplate("a template has unit norm; normalise the embedding first")
        if not self.model:
            raise InvalidTemplate("a template names the model that made it")


@dataclass(frozen=True, eq=False)
class Probe:
    """What one capture of a person gave: a template of each model that looks at it.

    Raises:
        InvalidTemplate: no template, or two of one model.
    """

    templates: tuple[Template, ...]

    def __post_init__(self) -> None:
        models = self.models
        if not models or len(set(models)) != len(models):
            raise InvalidTemplate("a probe has one template of each of its models")

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models that have a template in it."""
        return tuple(template.model for template in self.templates)

    def of(self, models: Collection[str]) -> tuple[Template, ...]:
        """The templates of some models."""
        return tuple(template for template in self.templates if template.model in models)
