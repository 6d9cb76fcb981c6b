"""Read snarkjs's .zkey file: the Groth16 proving key of a circuit.

The format is a list of numbered sections of little-endian integers; coordinates are in Montgomery
form (times 2^256), coefficients in it twice.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from identity_proofs.errors import ArtifactInvalid
from identity_proofs.field import BASE_FIELD, SCALAR_FIELD
from identity_proofs.verification_key import G1Point, G2Point

_GROTH16 = 1
_FIELD_BYTES = 32
_G1_BYTES = 64
_G2_BYTES = 128
_PROTOCOL, _HEADER, _IC, _COEFFICIENTS, _A, _B1, _B2, _C, _H = range(1, 10)

_FROM_MONTGOMERY = pow(1 << 256, -1, BASE_FIELD)
_FROM_MONTGOMERY_TWICE = pow(1 << 512, -1, SCALAR_FIELD)

P = TypeVar("P", G1Point, G2Point)

MaybeG1 = G1Point | None
MaybeG2 = G2Point | None
"""`None` is the point at infinity."""


@dataclass(frozen=True)
class Coefficient:
    """`value` of `signal` in row `constraint` of the constraint matrix A (or B)."""

    in_b: bool
    constraint: int
    signal: int
    value: int


@dataclass(frozen=True)
class ProvingKey:
    """One circuit's proving key, as affine integers below q.

    `a`, `b1`, `b2` have a point for each signal; `c` for each private one; `h` for each element
    of the domain (a Lagrange basis on the domain's odd coset).
    """

    n_signals: int
    n_public: int
    domain_size: int
    alpha1: G1Point
    beta1: G1Point
    beta2: G2Point
    delta1: G1Point
    delta2: G2Point
    coefficients: list[Coefficient]
    a: list[MaybeG1]
    b1: list[MaybeG1]
    b2: list[MaybeG2]
    c: list[MaybeG1]
    h: list[MaybeG1]


def parse_zkey(data: bytes) -> ProvingKey:
    """Read a .zkey file's content. Raises `ArtifactInvalid` if any length or number is wrong."""
    try:
        sections = _sections(data)
        if struct.unpack("<I", sections[_PROTOCOL]) != (_GROTH16,):
            raise ArtifactInvalid("The .zkey file is not for Groth16.")
        return _proving_key(sections)
    except (struct.error, KeyError, ValueError) as error:
        raise ArtifactInvalid("The .zkey file is damaged.") from error


def _sections(data: bytes) -> dict[int, memoryview]:
    view = memoryview(data)
    magic, _version, count = struct.unpack_from("<4sII", view)
    if magic != b"zkey":
        raise ArtifactInvalid("The file is no .zkey file.")
    sections = {}
    offset = 12
    for _ in range(count):
        number, length = struct.unpack_from("<IQ", view, offset)
        offset += 12
        if number in sections or length > len(view) - offset:
            raise ValueError("sections do not fit the file")
        sections[number] = view[offset : offset + length]
        offset += length
    return sections


def _proving_key(sections: dict[int, memoryview]) -> ProvingKey:
    header = struct.Struct("<I32sI32sIII 64s64s128s128s64s128s").unpack(sections[_HEADER])
    q_bytes, q, r_bytes, r, n_signals, n_public, domain, *points = header
    alpha1, beta1, beta2, _gamma2, delta1, delta2 = points
    primes = (q_bytes, _integer(q), r_bytes, _integer(r))
    if primes != (_FIELD_BYTES, BASE_FIELD, _FIELD_BYTES, SCALAR_FIELD):
        raise ArtifactInvalid("The .zkey file is not over BN254.")
    if domain.bit_count() != 1 or not n_public < n_signals:
        raise ValueError("sizes do not fit each other")
    return ProvingKey(
        n_signals, n_public, domain,
        _finite(_g1(alpha1)), _finite(_g1(beta1)), _finite(_g2(beta2)),
        _finite(_g1(delta1)), _finite(_g2(delta2)),
        _coefficients(sections[_COEFFICIENTS], domain, n_signals),
        a=[_g1(point) for point in _split(sections[_A], _G1_BYTES, n_signals)],
        b1=[_g1(point) for point in _split(sections[_B1], _G1_BYTES, n_signals)],
        b2=[_g2(point) for point in _split(sections[_B2], _G2_BYTES, n_signals)],
        c=[_g1(point) for point in _split(sections[_C], _G1_BYTES, n_signals - n_public - 1)],
        h=[_g1(point) for point in _split(sections[_H], _G1_BYTES, domain)],
    )  # fmt: skip


def _coefficients(section: memoryview, domain: int, n_signals: int) -> list[Coefficient]:
    (count,) = struct.unpack_from("<I", section)
    layout = struct.Struct("<III32s")
    coefficients = []
    for entry in _split(section[4:], layout.size, count):
        matrix, constraint, signal, value = layout.unpack(entry)
        if matrix > 1 or constraint >= domain or signal >= n_signals:
            raise ValueError("a coefficient lies outside the matrices")
        plain = _integer(value) * _FROM_MONTGOMERY_TWICE % SCALAR_FIELD
        coefficients.append(Coefficient(matrix == 1, constraint, signal, plain))
    return coefficients


def _split(section: memoryview, size: int, count: int) -> Iterator[memoryview]:
    if len(section) != size * count:
        raise ValueError("a section has the wrong length")
    return (section[start : start + size] for start in range(0, len(section), size))


def _integer(data: bytes | memoryview) -> int:
    return int.from_bytes(data, "little")


def _coordinate(data: bytes | memoryview) -> int:
    value = _integer(data)
    if value >= BASE_FIELD:
        raise ValueError("a coordinate is not below q")
    return value * _FROM_MONTGOMERY % BASE_FIELD


def _g1(data: bytes | memoryview) -> MaybeG1:
    x, y = _coordinate(data[:32]), _coordinate(data[32:])
    return (x, y) if x or y else None


def _g2(data: bytes | memoryview) -> MaybeG2:
    x0, x1, y0, y1 = (_coordinate(data[i : i + 32]) for i in range(0, _G2_BYTES, 32))
    return ((x0, x1), (y0, y1)) if x0 or x1 or y0 or y1 else None


def _finite(point: P | None) -> P:
    if point is None:
        raise ValueError("a point of the header is at infinity")
    return point
