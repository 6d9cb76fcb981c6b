import json
from typing import Any

import pytest

from identity_proofs.errors import InvalidSignal, MalformedProof
from identity_proofs.proof import SemaphoreProof, encode_signal, to_field

PROOF = SemaphoreProof(27, 11, 12, 13, 14, (1, 2, 3, 4, 5, 6, 7, 8))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        ("007", 7),
        (" 5\n", 5),
        ("0x1f", 31),
        ("0b101", 5),
        ("0o17", 15),
        (b"\x01\x00", 256),
        (b"", 0),
        ("", 0),
        ("a", 0x61 << 248),
        ("é", 0xC3A9 << 240),
        ("0x", 0x3078 << 240),
        ("5.0", 0x352E30 << 232),
        ("x" * 31, int.from_bytes(b"x" * 31 + b"\0", "big")),
        (str(2**256 - 1), 2**256 - 1),
    ],
)
def test_signals_are_encoded_as_in_the_sdk(value: str | int | bytes, number: int) -> None:
    assert encode_signal(value) == number


@pytest.mark.parametrize(
    "value",
    [-1, 2**256, "-1", str(2**256), "1" * 10_000, b"\x01" + bytes(32), "x" * 32, "é" * 16],
    ids=lambda value: repr(value)[:20],
)
def test_signals_that_do_not_fit_are_refused(value: str | int | bytes) -> None:
    with pytest.raises(InvalidSignal):
        encode_signal(value)


def test_to_field_refuses_what_is_no_256_bit_integer() -> None:
    for value in (-1, 2**256):
        with pytest.raises(InvalidSignal):
            to_field(value)
    assert 0 <= to_field(2**256 - 1) < 2**248


def test_json_has_the_sdks_fields() -> None:
    assert json.loads(PROOF.to_json()) == {
        "merkleTreeDepth": 27,
        "merkleTreeRoot": "11",
        "nullifier": "12",
        "message": "13",
        "scope": "14",
        "points": ["1", "2", "3", "4", "5", "6", "7", "8"],
    }
    assert SemaphoreProof.from_json(PROOF.to_json().encode()) == PROOF


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("merkleTreeDepth", 0),
        ("merkleTreeDepth", 33),
        ("merkleTreeDepth", "27"),
        ("merkleTreeDepth", True),
        ("merkleTreeRoot", None),
        ("merkleTreeRoot", 11),
        ("nullifier", "-1"),
        ("nullifier", "0x1"),
        ("nullifier", "01"),
        ("message", str(2**256)),
        ("message", "9" * 100_000),
        ("scope", "٣"),
        ("scope", ""),
        ("points", []),
        ("points", ["1"] * 9),
        ("points", [1] * 8),
        ("points", "12345678"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_malformed_field_is_refused(field: str, value: Any) -> None:
    with pytest.raises(MalformedProof, match=field):
        SemaphoreProof.from_dict({**PROOF.to_dict(), field: value})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, b"\xff"], ids=range(6))
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedProof):
        SemaphoreProof.from_json(text)
