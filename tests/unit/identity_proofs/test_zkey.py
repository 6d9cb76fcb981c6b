import struct

import pytest

from identity_proofs.artifacts import Artifacts
from identity_proofs.errors import ArtifactInvalid
from identity_proofs.zkey import parse_zkey

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
    assert (key.n_public, key.domain_size) == (4, 1 << 13)
    assert len(key.a) == len(key.b1) == len(key.b2) == key.n_signals
    assert len(key.c) == key.n_signals - key.n_public - 1
    assert len(key.h) == key.domain_size
    assert key.alpha1 == artifacts.verification_key.alpha
    assert key.beta2 == artifacts.verification_key.beta
    assert key.delta2 == artifacts.verification_key.delta


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
        (2, 84, bytes(64)),
        (2, 84, b"\xff" * 32),
        (4, 0, struct.pack("<I", 1)),
        (4, 4, struct.pack("<I", 2)),
        (4, 8, struct.pack("<I", 1 << 13)),
        (4, 12, struct.pack("<I", 1 << 20)),
        (5, 0, b"\xff" * 32),
        (7, 32, b"\xff" * 32),
    ],
)
def test_wrong_number_is_refused(zkey: bytes, section: int, offset: int, patch: bytes) -> None:
    with pytest.raises(ArtifactInvalid):
        parse_zkey(patched(zkey, section_offset(zkey, section) + offset, patch))


def test_section_given_twice_is_refused(zkey: bytes) -> None:
    start = section_offset(zkey, 2) - SECTION_HEADER
    with pytest.raises(ArtifactInvalid):
        parse_zkey(patched(zkey, start, struct.pack("<I", 1)))


def test_another_format_is_refused() -> None:
    with pytest.raises(ArtifactInvalid, match=r"no \.zkey file"):
        parse_zkey(b"\0asm" + bytes(100))
