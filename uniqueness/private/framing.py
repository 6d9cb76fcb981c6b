"""Messages between a party's daemon and its engine worker: a small header, then plain arrays.

    4 bytes   length of the header, big-endian
    header    JSON: {"name": ..., "values": {...}, "arrays": [[dtype, shape], ...]}
    arrays    their bytes, one after the other, C order, little-endian

Nothing of it is code, as a pickle's bytes would be. The worker reads this file from its own
environment, so it imports the standard library and NumPy only.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_LENGTH_BYTES = 4
_MAX_HEADER = 1 << 20
_DTYPES = {"<u8": 8, "<i8": 8, "|b1": 1}


@dataclass(frozen=True, eq=False)
class Message:
    """One message.

    Args:
        name: what is asked for or answered.
        values: whole numbers, lists of them, and words; nothing secret.
        arrays: uint64, int64 or bool.
    """

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    arrays: tuple[npt.NDArray[Any], ...] = field(default=(), repr=False)


class Truncated(Exception):
    """The other side closed the pipe, or wrote what is no message."""


def write(pipe: BinaryIO, message: Message) -> None:
    """Write a message to an unbuffered pipe."""
    arrays = [np.ascontiguousarray(array) for array in message.arrays]
    shapes = [[array.dtype.str, list(array.shape)] for array in arrays]
    header = json.dumps({"name": message.name, "values": message.values, "arrays": shapes}).encode()
    _write_all(pipe, memoryview(len(header).to_bytes(_LENGTH_BYTES, "big") + header))
    for array in arrays:
        _write_all(pipe, memoryview(array.tobytes()))


def read(pipe: BinaryIO) -> Message:
    """Read the next message of an unbuffered pipe.

    Raises:
        Truncated: the pipe ended, or what came is no message.
    """
    length = int.from_bytes(_exactly(pipe, _LENGTH_BYTES), "big")
    if not 0 < length <= _MAX_HEADER:
        raise Truncated("not a message")
    header = json.loads(_exactly(pipe, length))
    arrays = tuple(_array(pipe, dtype, shape) for dtype, shape in header["arrays"])
    return Message(header["name"], header["values"], arrays)


def _write_all(pipe: BinaryIO, data: memoryview) -> None:
    while data:
        data = data[pipe.write(data) :]


def _array(pipe: BinaryIO, dtype: str, shape: Sequence[int]) -> npt.NDArray[Any]:
    if dtype not in _DTYPES:
        raise Truncated("not an array of ours")
    data = _exactly(pipe, math.prod(shape) * _DTYPES[dtype])
    return np.frombuffer(data, dtype).reshape(shape)


def _exactly(pipe: BinaryIO, count: int) -> bytearray:
    data = bytearray(count)
    view, filled = memoryview(data), 0
    while filled < count:
        got = pipe.readinto(view[filled:])  # type: ignore[attr-defined]
        if not got:
            raise Truncated("the pipe was closed")
        filled += got
    return data
