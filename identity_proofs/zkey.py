"""Read snarkjs's .zkey file: the Groth16 proving key of a circuit.

The format is a list of numbered sections of little-endian integers; coordinates are in Montgomery
form (times 2^256), coefficients in it twice. The sections are kept as they are: the kernel works
on them, and checks their numbers and points.
"""

import struct
from dataclasses import dataclass

from identity_proofs.errors import ArtifactInvalid
from identity_proofs.field import BASE_FIELD, SCALAR_FIELD

Bytes = memoryview | bytes

_GROTH16 = 1
_FIELD_BYTES = 32
_G1_BYTES = 64
_G2_BYTES = 128
_COEFFICIENT_BYTES = 3 * 4 + _FIELD_BYTES
_MAX_LOG_DOMAIN = 20  # the deepest circuit has 14
_PROTOCOL, _HEADER, _IC, _COEFFICIENTS, _A, _B1, _B2, _C, _H = range(1, 10)


@dataclass(frozen=True, eq=False, repr=False)
class ProvingKey:
    """One circuit's proving key, of which every length is checked but no number in the sections.

    `points` are alpha1, beta1, beta2, gamma2, delta1, delta2; `a`, `b1` (in G1) and `b2` (in G2)
    have a point for each signal; `c` for each private one; `h` for each element of the domain (a
    Lagrange basis on its odd coset). A coefficient is a matrix (0: A, 1: B), row, signal, value.
    """

    n_signals: int
    n_public: int
    log_domain: int
    n_coefficients: int
    points: Bytes
    coefficients: Bytes
    a: Bytes
    b1: Bytes
    b2: Bytes
    c: Bytes
    h: Bytes


def parse_zkey(data: bytes) -> ProvingKey:
    """Read a .zkey file's content. Raises `ArtifactInvalid` if any length is wrong."""
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
    header = struct.Struct("<I32sI32sIII576s").unpack(sections[_HEADER])
    q_bytes, q, r_bytes, r, n_signals, n_public, domain, points = header
    primes = (q_bytes, _integer(q), r_bytes, _integer(r))
    if primes != (_FIELD_BYTES, BASE_FIELD, _FIELD_BYTES, SCALAR_FIELD):
        raise ArtifactInvalid("The .zkey file is not over BN254.")
    log_domain = domain.bit_length() - 1
    if not (domain == 1 << log_domain <= 1 << _MAX_LOG_DOMAIN and n_public < n_signals):
        raise ValueError("sizes do not fit each other")
    (n_coefficients,) = struct.unpack_from("<I", sections[_COEFFICIENTS])
    coefficients = sections[_COEFFICIENTS][4:]
    return ProvingKey(
        n_signals, n_public, log_domain, n_coefficients, points,
        _sized(coefficients, n_coefficients * _COEFFICIENT_BYTES),
        a=_sized(sections[_A], n_signals * _G1_BYTES),
        b1=_sized(sections[_B1], n_signals * _G1_BYTES),
        b2=_sized(sections[_B2], n_signals * _G2_BYTES),
        c=_sized(sections[_C], (n_signals - n_public - 1) * _G1_BYTES),
        h=_sized(sections[_H], domain * _G1_BYTES),
    )  # fmt: skip


def _sized(section: memoryview, size: int) -> memoryview:
    if len(section) != size:
        raise ValueError("a section has the wrong length")
    return section


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "little")
