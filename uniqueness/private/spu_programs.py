"""The programs that the three workers run on shares, in JAX's words.

Whatever one of them makes public it passes through `reveal`; there is no other way.
"""

from typing import Any

import jax.numpy as jnp
from spu.experimental import reveal


def products(left: Any, right: Any) -> Any:
    return jnp.matmul(left, right)


def hits(left: Any, right: Any, least: Any) -> Any:
    return jnp.matmul(left, right) >= least


def more_hits(left: Any, right: Any, least: Any, before: Any) -> Any:
    return before | (jnp.matmul(left, right) >= least)


def tell_any(*hits: Any) -> Any:
    told = jnp.any(hits[0], axis=1)
    for more in hits[1:]:
        told = told | jnp.any(more, axis=1)
    return reveal(told)


def tell_each(left: Any, right: Any, least: Any) -> Any:
    return reveal(jnp.matmul(left, right) >= least)


def tell_first_highest(left: Any, right: Any) -> Any:
    count = right.shape[1]
    # Of equal products the first wins: it is put ahead by less than a product's step.
    ranked = jnp.matmul(left, right)[0] * count + jnp.arange(count - 1, -1, -1)
    return reveal(jnp.all(ranked[:, None] >= ranked[None, :], axis=1))


def count(products: Any, least: Any, counted: Any, before: Any) -> Any:
    reached = (products >= least).astype(jnp.int64)
    return before + jnp.sum(reached * counted).reshape(1)


def tell_counts(reaching: Any, minimum: Any) -> Any:
    buckets = reaching[:-1] - reaching[1:]
    return reveal(jnp.where(buckets >= minimum, buckets, 0))


def join(*numbers: Any) -> Any:
    return jnp.concatenate(numbers)
