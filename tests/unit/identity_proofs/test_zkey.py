import struct
from itertools import chain

import pytest

from identity_proofs.artifacts import Artifacts
from identity_proofs.errors import ArtifactInvalid
from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.groth16_prover import Groth16Prover
from identity_proofs.zkey import parse_zkey

AT_1, AT_2, AT_6 = (0, 64), (128, 256), (448, 576)


def in_montgomery_form(*values: int) -> bytes:
    return b"".join((value * 2**256 % Q).to_bytes(32, "little") for value in values)


def coordinates(data: bytes | memoryview) -> list[int]:
    words = (int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32))
    return [word * pow(2**256, -1, Q) % Q for word in words]


# x = 1 on the twist; its order has other factors than r.
OUTSIDE_SUBGROUP = in_montgomery_form(
    1,
    0,
    18278151005453108793778860132295291098363647455926340152056652516292830556603,
    5912654199736721486680175016176231956195085055698687135131307249486702594212,
)

FILE_HEADER = 12
SECTION_HEADER = 12


@pytest.fixture(scope="module")
def zkey(artifacts: Artifacts) -> bytes:
    return artifacts.read_zkey()


def section_offset(zkey: bytes, wanted: int) -> int:
    """Return where the content of section `wanted` starts."""
    offset = FILE_HEADER
    while True:
        number, length = struct.unpack_from("<IQ", zkey, offset)
        offset += SECTION_HEADER
        if number == wanted:
            return offset
        offset += length


def patched(data: bytes, offset: int, patch: bytes) -> bytes:
    return data[:offset] + patch + data[offset + len(patch) :]


def test_official_key_is_read(zkey: bytes, artifacts: Artifacts) -> None:
    key = parse_zkey(zkey)
    assert (key.n_public, key.log_domain) == (4, 13)
    assert len(key.a) == len(key.b1) == len(key.b2) // 2 == 64 * key.n_signals
    alpha1, beta2, delta2 = (coordinates(key.points[i:j]) for i, j in (AT_1, AT_2, AT_6))
    assert alpha1 == list(artifacts.verification_key.alpha)
    assert beta2 == list(chain(*artifacts.verification_key.beta))
    assert delta2 == list(chain(*artifacts.verification_key.delta))
    Groth16Prover(key).check()


@pytest.mark.parametrize("length", [0, 3, 11, 20, 100, 1_000, 1_000_000, -1])
def test_truncated_file_is_refused(zkey: bytes, length: int) -> None:
    with pytest.raises(ArtifactInvalid):
        parse_zkey(zkey[:length])


@pytest.mark.parametrize(
    ("section", "offset", "patch"),
    [
        (1, 0, struct.pack("<I", 2)),
        (2, 0, struct.pack("<I", 48)),
        (2, 4, b"\x00"),
        (2, 40, b"\x00"),
        (2, 72, struct.pack("<I", 8)),
        (2, 76, struct.pack("<I", 0xFFFFFFFF)),
        (2, 80, struct.pack("<I", 0)),
        (2, 80, struct.pack("<I", 1 << 12)),
        (2, 80, struct.pack("<I", 1 << 31)),
        (4, 0, struct.pack("<I", 1)),
        (4, 0, struct.pack("<I", 0xFFFFFFFF)),
    ],
)
def test_wrong_length_is_refused(zkey: bytes, section: int, offset: int, patch: bytes) -> None:
    with pytest.raises(ArtifactInvalid):
        parse_zkey(patched(zkey, section_offset(zkey, section) + offset, patch))


@pytest.mark.parametrize(
    ("section", "offset", "patch"),
    [
        (2, 84, bytes(64)),
        (2, 84, b"\xff" * 32),
        (2, 84 + 128, bytes(128)),
        (2, 84 + 128, OUTSIDE_SUBGROUP),
        (2, 84 + 256, OUTSIDE_SUBGROUP),
        (2, 84 + 448, OUTSIDE_SUBGROUP),
        (4, 4, struct.pack("<I", 2)),
        (4, 8, struct.pack("<I", 1 << 13)),
        (4, 12, struct.pack("<I", 1 << 20)),
        (4, 16, b"\xff" * 32),
        (5, 0, b"\xff" * 32),
        (5, 64 * 2000, b"\x01"),
        (6, 32, b"\xff" * 32),
        (7, 32, b"\xff" * 32),
        (7, 128 * 2000, OUTSIDE_SUBGROUP),
        (8, 0, b"\x01"),
        (9, 64 * 8191, b"\x01"),
    ],
)
def test_wrong_number_or_point_is_refused(
    zkey: bytes, section: int, offset: int, patch: bytes
) -> None:
    damaged = patched(zkey, section_offset(zkey, section) + offset, patch)
    with pytest.raises(ArtifactInvalid, match=f"section {section}"):
        Groth16Prover(parse_zkey(damaged)).check()


def test_section_given_twice_is_refused(zkey: bytes) -> None:
    start = section_offset(zkey, 2) - SECTION_HEADER
    with pytest.raises(ArtifactInvalid):
        parse_zkey(patched(zkey, start, struct.pack("<I", 1)))


def test_another_format_is_refused() -> None:
    with pytest.raises(ArtifactInvalid, match=r"no \.zkey file"):
        parse_zkey(b"\0asm" + bytes(100))
