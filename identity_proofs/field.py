"""The prime fields of BN254 and of Baby Jubjub, and numbers that come from outside."""

from identity_proofs.errors import InvalidCommitment

SCALAR_FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""r: order of BN254's G1 and G2; circuit signals and commitments live below it (EIP-196)."""

BASE_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""q: the coordinates of BN254's points (EIP-196)."""

SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041
"""l: order of Baby Jubjub's prime subgroup (EIP-2494)."""

_MAX_DIGITS = 80  # r has 77 decimal digits; longer text is refused before it is converted


def parse_commitment(text: str | int) -> int:
    """Read an identity commitment: decimal digits, or hexadecimal digits after `0x`.

    Returns an integer in [1, r). Raises `InvalidCommitment` for anything else.
    """
    commitment = text if isinstance(text, int) else _parse_unsigned(text)
    if not 0 < commitment < SCALAR_FIELD:
        raise InvalidCommitment(
            "The commitment must be above 0 and below the BN254 scalar field's order; "
            "copy it again from the wallet."
        )
    return commitment


def _parse_unsigned(text: str) -> int:
    digits, base = (text[2:], 16) if text[:2] in {"0x", "0X"} else (text, 10)
    # int() alone would take signs, spaces and underscores.
    if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isalnum():
        try:
            return int(digits, base)
        except ValueError:
            pass
    raise InvalidCommitment(
        "The commitment is not a number: give decimal digits, or hexadecimal digits after 0x."
    )
