"""Templates of made-up people: unit vectors, and noisy repeats of them."""

import numpy as np

from uniqueness.decision import Thresholds
from uniqueness.template import FloatArray, Probe, Template

DIMENSION = 64
MODEL = "synthetic:1"
THRESHOLDS = Thresholds(review=0.6, duplicate=0.7)


def unit(vectors: np.ndarray) -> FloatArray:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / norms).astype(np.float32)


def people(count: int, seed: int = 0) -> FloatArray:
    """(count, 64) directions; the chance that two of 2,000 score above 0.6 is below 1e-3."""
    return unit(np.random.default_rng(seed).normal(size=(count, DIMENSION)))


def template(vector: FloatArray, model: str = MODEL) -> Template:
    return Template(vector, model)


def probe(vector: FloatArray, model: str = MODEL) -> Probe:
    return Probe((template(vector, model),))


def at_cosine(vector: FloatArray, cosine: float, seed: int = 1) -> FloatArray:
    """A unit vector at an exact cosine from another."""
    noise = np.random.default_rng(seed).normal(size=vector.shape)
    noise -= (noise @ vector) * vector
    return unit(cosine * vector + np.sqrt(1 - cosine**2) * unit(noise))


def people_of(count: int, each: int, noise: float = 0.5) -> tuple[FloatArray, np.ndarray]:
    """(count * each, 64) templates, `each` of a person, and the number of each one's person.

    Args:
        noise: length of what a photograph adds to a person's own direction.
    """
    random = np.random.default_rng(5)
    numbers = np.repeat(np.arange(count), each)
    centers = unit(random.normal(size=(count, DIMENSION)))
    return unit(centers[numbers] + noise * unit(random.normal(size=(numbers.size, 64)))), numbers
