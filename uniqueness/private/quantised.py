"""Templates as whole numbers, all of the same length, so that a dot product is a cosine.

Three parties add and multiply whole numbers without seeing them; a square root they cannot take
cheaply. So every template is rounded to whole numbers whose squares add up to one constant: then
`a . b / SQUARED_NORM` is the cosine exactly, and a threshold on the cosine is one on the product.
"""

import math

import numpy as np
import numpy.typing as npt

from uniqueness.errors import InvalidTemplate
from uniqueness.template import FloatArray

SCALE = 2048
SQUARED_NORM = SCALE * SCALE
_CHEAPEST = 256  # steps among which the last two are looked for
_MOST_ROUNDS = 100

QuantisedTemplate = npt.NDArray[np.int16]
_Integers = npt.NDArray[np.int64]


def quantise(vector: FloatArray) -> QuantisedTemplate:
    """Round a template to whole numbers of squared norm `SQUARED_NORM`.

    Rounding leaves the norm a little off; single values are then moved by one until it fits,
    those first whose rounding loses least by it.

    Args:
        vector: (d,) float32 of unit norm, d at least 64.

    Returns:
        (d,) int16; its cosine with `vector` is 1 to five digits.

    Raises:
        InvalidTemplate: no whole numbers near the template have that norm, as happens only to
            vectors that are zero almost everywhere.
    """
    exact = vector.astype(np.float64) * SCALE
    rounded = np.rint(exact).astype(np.int64)
    for _ in range(_MOST_ROUNDS):
        missing = SQUARED_NORM - int(rounded @ rounded)
        if not missing:
            return rounded.astype(np.int16)
        for place, step in _last_two(exact, rounded, missing) or _one(exact, rounded, missing):
            rounded[place] += step
    raise InvalidTemplate("no whole numbers near this template have the norm that is asked for")


def unit(template: QuantisedTemplate) -> FloatArray:
    """The (d,) float32 template of unit norm that the whole numbers stand for."""
    return (template / np.float64(SCALE)).astype(np.float32)


def least_product(score: float) -> int:
    """The smallest dot product of two quantised templates whose cosine is `score` or more."""
    return math.ceil(score * SQUARED_NORM)


def _steps(
    exact: npt.NDArray[np.float64], rounded: _Integers
) -> tuple[_Integers, _Integers, npt.NDArray[np.float64]]:
    """(2d,) which way each value may be moved, what the squared norm gains, and what it costs."""
    ways = np.repeat([1, -1], rounded.size)
    values = np.tile(rounded, 2)
    away = np.abs(values + ways - np.tile(exact, 2)) - np.abs(values - np.tile(exact, 2))
    return ways, 2 * ways * values + 1, away


def _last_two(
    exact: npt.NDArray[np.float64], rounded: _Integers, missing: int
) -> list[tuple[int, int]]:
    """Two values that make up for all that is missing; nothing where there are none."""
    if missing % 2:
        return []  # each step gains an odd number
    ways, gains, costs = _steps(exact, rounded)
    cheapest = np.argsort(costs, kind="stable")[:_CHEAPEST]
    places = cheapest % rounded.size
    fits = gains[cheapest][:, None] + gains[cheapest][None, :] == missing
    fits &= places[:, None] != places[None, :]
    if not fits.any():
        return []
    cost = np.where(fits, costs[cheapest][:, None] + costs[cheapest][None, :], np.inf)
    pair = divmod(int(np.argmin(cost)), cheapest.size)
    return [(int(places[one]), int(ways[cheapest[one]])) for one in pair]


def _one(exact: npt.NDArray[np.float64], rounded: _Integers, missing: int) -> list[tuple[int, int]]:
    """The value whose move brings the norm nearest."""
    ways, gains, costs = _steps(exact, rounded)
    best = int(np.lexsort((costs, np.abs(missing - gains)))[0])
    return [(best % rounded.size, int(ways[best]))]
