"""A Semaphore v4 proof as a value, its JSON, and how signals become field elements."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sha3 import keccak_256  # Ethereum's padding, not FIPS 202's, which hashlib has

from identity_proofs.errors import InvalidSignal, MalformedProof

MIN_DEPTH = 1
MAX_DEPTH = 32
"""Depths for which the ceremony published a circuit."""

_WORD_BITS = 256
_WORD_BYTES = 32
_POINTS = 8
_MAX_JSON = 4096  # a proof has about 1200 characters
_MAX_TEXT_BYTES = 31

# What JavaScript's BigInt reads in a string.
_INTEGER_TEXT = re.compile(
    r"(?P<decimal>[+-]?[0-9]+)|0[xX](?P<hex>[0-9a-fA-F]+)|0[oO](?P<octal>[0-7]+)|0[bB](?P<binary>[01]+)"
)
_BASES = {"decimal": 10, "hex": 16, "octal": 8, "binary": 2}
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


@dataclass(frozen=True)
class SemaphoreProof:
    """A proof that some member of the group with this root sent `message` in `scope`.

    `message` and `scope` are the unhashed 256-bit integers; the circuit's public signals are
    their `to_field`. `points` are A.x, A.y, B.x.c1, B.x.c0, B.y.c1, B.y.c0, C.x, C.y.
    Nothing is checked here: see `verifier.verify_proof`.
    """

    merkle_tree_depth: int
    merkle_tree_root: int
    nullifier: int
    message: int
    scope: int
    points: tuple[int, int, int, int, int, int, int, int]

    def to_dict(self) -> dict[str, object]:
        """Return the JavaScript SDK's object: integers as decimal strings, the depth a number."""
        return {
            "merkleTreeDepth": self.merkle_tree_depth,
            "merkleTreeRoot": str(self.merkle_tree_root),
            "message": str(self.message),
            "nullifier": str(self.nullifier),
            "scope": str(self.scope),
            "points": [str(coordinate) for coordinate in self.points],
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, fields: Mapping[str, object]) -> "SemaphoreProof":
        """Read the JavaScript SDK's object; raises `MalformedProof`."""
        depth = fields.get("merkleTreeDepth")
        if type(depth) is not int or not MIN_DEPTH <= depth <= MAX_DEPTH:
            raise MalformedProof(
                f"merkleTreeDepth must be a number from {MIN_DEPTH} to {MAX_DEPTH}."
            )
        points = fields.get("points")
        if not isinstance(points, list) or len(points) != _POINTS:
            raise MalformedProof(f"points must be a list of {_POINTS} decimal strings.")
        a, b, c, d, e, f, g, h = (_parse_word("points", point) for point in points)
        root, nullifier, message, scope = (
            _parse_word(name, fields.get(name))
            for name in ("merkleTreeRoot", "nullifier", "message", "scope")
        )
        return cls(depth, root, nullifier, message, scope, (a, b, c, d, e, f, g, h))

    @classmethod
    def from_json(cls, text: str | bytes) -> "SemaphoreProof":
        """Read the JavaScript SDK's proof JSON; raises `MalformedProof`."""
        # py_ecc lifts Python's recursion limit, so that deep nesting could overflow the C stack.
        if len(text) > _MAX_JSON:
            raise MalformedProof(f"A proof's JSON has at most {_MAX_JSON} characters.")
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            raise MalformedProof("The proof is not JSON.") from None
        if not isinstance(fields, dict):
            raise MalformedProof("The proof must be a JSON object.")
        return cls.from_dict(fields)


def to_field(value: int) -> int:
    """Hash a scope or message to the circuit's signal: keccak256(32 bytes, big-endian) >> 8.

    `value` is in [0, 2^256), the result in [0, 2^248). Raises `InvalidSignal`.
    """
    word = _check_word(value).to_bytes(_WORD_BYTES, "big")
    return int.from_bytes(keccak_256(word).digest(), "big") >> 8


def encode_signal(value: str | int | bytes) -> int:
    """Turn a scope or message into an integer in [0, 2^256), as the JavaScript SDK does.

    Bytes are big-endian. Text that reads as an integer (decimal, or after 0x, 0o, 0b) is that
    integer; other text is its UTF-8 bytes, at most 31, padded with zeros on the right.
    Raises `InvalidSignal`.
    """
    if isinstance(value, int):
        return _check_word(value)
    if isinstance(value, bytes):
        return _check_word(int.from_bytes(value, "big"))
    number = _INTEGER_TEXT.fullmatch(value.strip())
    if number is not None and number.lastgroup is not None:
        digits = number[number.lastgroup]
        if len(digits) > _WORD_BITS:
            raise InvalidSignal("A scope or message must be below 2^256.")
        return _check_word(int(digits, _BASES[number.lastgroup]))
    text = value.encode()
    if len(text) > _MAX_TEXT_BYTES:
        raise InvalidSignal(
            f"A scope or message given as text holds at most {_MAX_TEXT_BYTES} UTF-8 bytes."
        )
    return int.from_bytes(text.ljust(_WORD_BYTES, b"\0"), "big")


def _check_word(value: int) -> int:
    if not 0 <= value < 1 << _WORD_BITS:
        raise InvalidSignal("A scope or message must be in [0, 2^256).")
    return value


def _parse_word(name: str, value: object) -> int:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        word = int(value)
        if word < 1 << _WORD_BITS:
            return word
    raise MalformedProof(f"{name} must be decimal digits of an integer below 2^256.")
