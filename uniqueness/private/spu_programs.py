"""The programs that the three workers run on shares, in JAX's words.

Whatever one of them makes public it passes through `reveal`; there is no other way. `own`, `next_`
and `last` are the three parties' addends of products, which nobody knows the sum of.
"""

from typing import Any

import jax.numpy as jnp
from spu.experimental import reveal


def hits(own: Any, next_: Any, last: Any, least: Any) -> Any:
    return own + next_ + last >= least


def more_hits(own: Any, next_: Any, last: Any, least: Any, before: Any) -> Any:
    return before | (own + next_ + last >= least)


def tell_any(*hits: Any) -> Any:
    told = jnp.any(hits[0], axis=1)
    for more in hits[1:]:
        told = told | jnp.any(more, axis=1)
    return reveal(told)


def tell_each(own: Any, next_: Any, last: Any, least: Any) -> Any:
    return reveal(own + next_ + last >= least)


def tell_first_highest(own: Any, next_: Any, last: Any, step: Any) -> Any:
    ranked = own + next_ + last
    # Of equals the first wins: whoever comes later has to be ahead of it by a step.
    behind = jnp.tril(jnp.ones((ranked.size, ranked.size), jnp.int32), -1)
    return reveal(jnp.all(ranked[:, None] - behind * step >= ranked[None, :], axis=1))


def products(own: Any, next_: Any, last: Any) -> Any:
    return own + next_ + last


def count(products: Any, least: Any, counted: Any, before: Any) -> Any:
    reached = (products >= least).astype(jnp.int32)
    return before + jnp.sum(reached * counted).reshape(1)


def join(*numbers: Any) -> Any:
    return jnp.concatenate(numbers)


def tell_counts(reaching: Any, minimum: Any) -> Any:
    buckets = reaching[:-1] - reaching[1:]
    return reveal(jnp.where(buckets >= minimum, buckets, 0))
