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
