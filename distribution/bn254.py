"""The little of BN254's first group that a relayer needs: a weighted sum of points."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeAlias

from identity_proofs.kernel import ELEMENT_BYTES, Kernel

Point: TypeAlias = tuple[int, int]
"""Affine coordinates; (0, 0) is the point at infinity, as the precompiles have it."""


def weighted_sum(points: Sequence[Point], weights: Sequence[int]) -> Point:
    """The sum of weights times points.

    Args:
        weights: as many, in [0, 2^254).

    Raises:
        ValueError: a point is not on the curve.
    """
    total = _kernel().msm_g1(_packed(c for point in points for c in point), _packed(weights))
    x, y = total[:ELEMENT_BYTES], total[ELEMENT_BYTES:]
    return int.from_bytes(x, "little"), int.from_bytes(y, "little")


def _packed(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(ELEMENT_BYTES, "little") for value in values)


@cache
def _kernel() -> Kernel:
    return Kernel.load()
