"""Poseidon's partial rounds at width 3 as a recurrence, with the constants the kernel takes.

In a partial round the S-box y = (x + k)^5 meets the first lane only; the others, u, are linear.
With M = [[m, v], [w, H]] the round is x' = m y + v u and u' = w y + H u. Of u only z = v u is ever
seen, and H satisfies its characteristic polynomial (Cayley and Hamilton), so that

    x[i+1] = m y[i] + z[i]
    z[i+1] = b y[i] + a y[i-1] + trace(H) z[i] - det(H) z[i-1]

with b = v w and a = v H w - trace(H) b. x[i] is kept as x[i] / c[i], z[i] as z[i] / c[i+1]: where
c[i+1] = m c[i]^5, the product m y[i] costs nothing. A round is then the S-box, one sum and one dot
product of length 4, whose constants absorb c.
"""

from collections.abc import Sequence
from itertools import chain
from operator import mul

from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.poseidon_parameters import Matrix, Vector, parameters

_ELEMENT_BYTES = 32


def kernel_parameters() -> bytes:
    """Return the constants in the order of `src/poseidon.h`, 32 little-endian bytes each."""
    p = parameters(3)
    m, v, w, inner = _blocks(p.mix)
    trace = inner[0][0] + inner[1][1]
    inverse = _invert(inner)
    b = _dot(v, w)
    a = _dot(v, _apply(inner, w)) - trace * b
    before = [_dot(v, column) for column in zip(*inverse, strict=True)]  # z[-1] = before u[0]

    c = [1]
    for _ in range(len(p.partial_rounds) + 1):
        c.append(m * pow(c[-1], 5, R) % R)
    per_m = pow(m, -1, R)
    det = inner[0][0] * inner[1][1] - inner[0][1] * inner[1][0]
    rounds = [
        [
            partial.constant * pow(c[i], -1, R),
            *_scale(
                [b * per_m * c[i + 1], a * per_m * c[i], trace * c[i + 1], -det * c[i]],
                pow(m * pow(c[i + 1], 5, R), -1, R),
            ),
        ]
        for i, partial in enumerate(p.partial_rounds)
    ]

    to_x_z_before = [[1, 0, 0], [0, *_scale(v, pow(c[1], -1, R))], [0, *before]]
    enter = [_apply(list(zip(*p.mix, strict=True)), row) for row in to_x_z_before]

    *_, last_c, next_c = c
    leave = [[last_c, 0, last_c]]
    for of_z, of_before in _invert([v, before]):
        of_y = of_before * _dot(before, w) * per_m * last_c
        leave.append([of_y, of_z * next_c, of_before * last_c])

    vectors = chain(p.mix, p.first_rounds, enter, rounds, leave, p.last_rounds)
    elements = chain.from_iterable(vectors)
    return b"".join((element % R).to_bytes(_ELEMENT_BYTES, "little") for element in elements)


def _blocks(mix: Matrix) -> tuple[int, Vector, Vector, Matrix]:
    """Return m, v, w and H."""
    first, *others = mix
    return first[0], first[1:], [row[0] for row in others], [row[1:] for row in others]


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    total: int = sum(map(mul, a, b))
    return total % R


def _apply(matrix: Sequence[Sequence[int]], vector: Vector) -> Vector:
    return [_dot(row, vector) for row in matrix]


def _scale(vector: Vector, factor: int) -> Vector:
    return [value * factor % R for value in vector]


def _invert(matrix: Matrix) -> Matrix:
    """Invert a 2 x 2 matrix."""
    (a, b), (c, d) = matrix
    scale = pow(a * d - b * c, -1, R)
    return [_scale([d, -b], scale), _scale([-c, a], scale)]
