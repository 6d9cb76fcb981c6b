import pytest

from identity_proofs.errors import InvalidCommitment
from identity_proofs.field import SCALAR_FIELD, parse_commitment


@pytest.mark.parametrize(
    ("text", "commitment"),
    [
        ("1", 1),
        ("007", 7),
        ("0x10", 16),
        ("0XfF", 255),
        (42, 42),
        (str(SCALAR_FIELD - 1), SCALAR_FIELD - 1),
        (hex(SCALAR_FIELD - 1), SCALAR_FIELD - 1),
    ],
)
def test_decimal_and_hexadecimal_are_read(text: str | int, commitment: int) -> None:
    assert parse_commitment(text) == commitment


@pytest.mark.parametrize(
    "text",
    [
        0,
        -1,
        SCALAR_FIELD,
        "0",
        "0x0",
        str(SCALAR_FIELD),
        hex(SCALAR_FIELD),
        "",
        "0x",
        "-1",
        "+1",
        " 1",
        "1_000",
        "1.0",
        "1e3",
        "abc",
        "0b1",
        "٣",
        "²",
        "0x-1",
        "9" * 100_000,
        "nan",
    ],
    ids=lambda text: str(text)[:20],
)
def test_anything_else_is_refused(text: str | int) -> None:
    with pytest.raises(InvalidCommitment) as refusal:
        parse_commitment(text)
    assert refusal.value.code == "commitment_invalid"
