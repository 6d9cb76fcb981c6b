"""The twisted Edwards curve Baby Jubjub, over BN254's scalar field (EIP-2494).

a x^2 + y^2 = 1 + d x^2 y^2. Scalar products do not run in constant time.
"""

from collections.abc import Sequence
from functools import cache

from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import Kernel

Point = tuple[int, int]
_Projective = tuple[int, int, int]

_DIGITS = 64  # hexadecimal ones of a scalar
_WORD = 32  # bytes of a coordinate or a scalar, little-endian

A = 168700
D = 168696

IDENTITY: Point = (0, 1)

BASE: Point = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)
"""Base8: eight times the generator, hence of prime order l."""


def is_on_curve(point: Point) -> bool:
    """Tell whether both coordinates are in [0, r) and satisfy the equation."""
    x, y = point
    if not (0 <= x < R and 0 <= y < R):
        return False
    xx, yy = x * x, y * y
    return (A * xx + yy - 1 - D * xx * yy) % R == 0


def add(p: Point, q: Point) -> Point:
    """Add two points of the curve."""
    return _affine(_add((*p, 1), (*q, 1)))


def multiply(point: Point, scalar: int) -> Point:
    """Multiply a point of the curve by an integer in [0, 2^256)."""
    return multiply_each([(point, scalar)])[0]


def multiply_each(products: Sequence[tuple[Point, int]]) -> list[Point]:
    """Multiply points of the curve by integers in [0, 2^256), in the kernel."""
    points = b"".join(_bytes(value) for point, _ in products for value in point)
    scalars = b"".join(_bytes(scalar) for _, scalar in products)
    found = _kernel().multiply_edwards(points, scalars)
    values = [
        int.from_bytes(found[at : at + _WORD], "little") for at in range(0, len(found), _WORD)
    ]
    return list(zip(values[::2], values[1::2], strict=True))


def multiply_base(scalar: int) -> Point:
    """Multiply `BASE` by an integer in [0, 2^256), of which every digit has its table.

    In plain Python: a wallet that signs once need not start the kernel.
    """
    result = (*IDENTITY, 1)
    for place, multiples in enumerate(_tables_of_base()):
        result = _add(result, multiples[scalar >> 4 * place & 15])
    return _affine(result)


@cache
def _tables_of_base() -> tuple[list[_Projective], ...]:
    tables, point = [], (*BASE, 1)
    for _ in range(_DIGITS):
        tables.append(_multiples(point))
        point = _add(tables[-1][-1], point)
    return tuple(tables)


def _multiples(point: _Projective) -> list[_Projective]:
    """A point times 0 to 15."""
    multiples = [(*IDENTITY, 1)]
    for _ in range(15):
        multiples.append(_add(multiples[-1], point))
    return multiples


def _add(p: _Projective, q: _Projective) -> _Projective:
    """Complete projective addition (Bernstein et al., "Twisted Edwards Curves", 2008, sect. 6)."""
    x1, y1, z1 = p
    x2, y2, z2 = q
    zz = z1 * z2 % R
    square = zz * zz % R
    xx = x1 * x2 % R
    yy = y1 * y2 % R
    e = D * xx % R * yy % R
    f, g = square - e, square + e
    cross = (x1 + y1) * (x2 + y2) - xx - yy
    return zz * f % R * cross % R, zz * g % R * (yy - A * xx) % R, f * g % R


def _affine(point: _Projective) -> Point:
    x, y, z = point
    inverse = pow(z, -1, R)
    return x * inverse % R, y * inverse % R


def _bytes(value: int) -> bytes:
    return value.to_bytes(_WORD, "little")


@cache
def _kernel() -> Kernel:
    return Kernel.load()
