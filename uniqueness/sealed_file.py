"""Arrays in a sealed file: written and read as a stream, so that they lie in memory once.

    magic, format version        10 bytes
    length of the header          4 bytes, little-endian
    header                        JSON: key id, salt, what the caller says, names and shapes
    chunks                        AES-256-GCM of at most 1 MiB each, 16 bytes longer than that
    end                           the empty chunk, 16 bytes

Every file has a key of its own, derived from a template key and the salt; chunk i has nonce i. The
associated data of each is the digest of all that comes before the chunks, and whether it is the
end. So a changed header, and chunks that are changed, exchanged, left out, or another file's, are
noticed, and so is a file that ends early or goes on.
"""

import hashlib
import json
import math
import mmap
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uniqueness.errors import SnapshotDamaged, SnapshotFormatUnknown
from uniqueness.files import replacing
from uniqueness.sealing import Keyring

Arrays = Mapping[str, npt.NDArray[np.generic]]

FORMAT_VERSION = 1
_MAGIC = b"PERSON\0S"
_CHUNK_BYTES = 1 << 20
_FORGET_EVERY = 16  # chunks
_TAG_BYTES = 16
_SALT_BYTES = 32
_MAX_HEADER_BYTES = 1 << 20
_PURPOSE = b"personhood sealed file"


@dataclass(frozen=True, eq=False)
class SealedArrays:
    """What a sealed file holds.

    Args:
        about: what the caller said of the arrays; plain JSON values, not secret.
        arrays: of fixed-size dtypes, by name.
    """

    about: Mapping[str, Any]
    arrays: Arrays = field(repr=False)


def write_sealed(path: Path, content: SealedArrays, keyring: Keyring) -> None:
    """Write a file in the place of an older one, which stays until the new one is durable.

    Raises:
        OSError: it cannot be written; the older file is untouched.
    """
    with replacing(path) as file:
        _write(file, content, keyring)


def read_sealed(path: Path, keyring: Keyring) -> SealedArrays:
    """Read a file, all of it authenticated.

    Raises:
        SnapshotFormatUnknown: another version's file, or none of ours.
        SnapshotDamaged: it is not as it was written.
        WrongKey: it was sealed with a key that is not here.
        OSError: it is not there or cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        preface, header = _read_header(file)
        cipher = _Cipher(header, preface, keyring)
        arrays = {
            name: _read_array(file, cipher, np.dtype(dtype), tuple(shape))
            for name, dtype, shape in header["arrays"]
        }
        _read_exactly(file, buffer := memoryview(bytearray(_TAG_BYTES)))
        cipher.open(buffer, memoryview(bytearray()), end=True)
        if file.read(1):
            raise SnapshotDamaged("the sealed file goes on after its end")
    return SealedArrays(header["about"], arrays)


class _Cipher:
    """Seals and opens the chunks of one file, in their order."""

    def __init__(self, header: Mapping[str, Any], preface: bytes, keyring: Keyring) -> None:
        salt = bytes.fromhex(header["salt"])
        self._cipher = AESGCM(keyring.derive(header["key_id"], salt=salt, purpose=_PURPOSE))
        self._preface = hashlib.sha256(preface).digest()
        self._number = 0

    def seal(self, chunk: memoryview, *, end: bool = False) -> bytes:
        return self._cipher.encrypt(self._next_nonce(), chunk, self._associated(end))

    def open(self, sealed: memoryview, into: memoryview, *, end: bool = False) -> None:
        try:
            self._cipher.decrypt_into(self._next_nonce(), sealed, self._associated(end), into)
        except InvalidTag:
            raise SnapshotDamaged("a sealed file was changed after it was written") from None

    def _next_nonce(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(12, "big")

    def _associated(self, end: bool) -> bytes:
        return self._preface + (b"end" if end else b"")


def _write(file: BinaryIO, content: SealedArrays, keyring: Keyring) -> None:
    header = {
        "key_id": keyring.key_id,
        "salt": secrets.token_hex(_SALT_BYTES),
        "about": dict(content.about),
        "arrays": [[name, a.dtype.str, a.shape] for name, a in content.arrays.items()],
    }
    encoded = json.dumps(header).encode()
    preface = _preface_start() + len(encoded).to_bytes(4, "little") + encoded
    file.write(preface)
    cipher = _Cipher(header, preface, keyring)
    for array in content.arrays.values():
        for chunk in _chunks(np.ascontiguousarray(array)):
            file.write(cipher.seal(chunk))
    file.write(cipher.seal(memoryview(b""), end=True))


def _read_header(file: BinaryIO) -> tuple[bytes, dict[str, Any]]:
    start = file.read(len(_preface_start()))
    if start != _preface_start():
        raise SnapshotFormatUnknown("a sealed file of another version of this program, or none")
    length = file.read(4)
    encoded = file.read(min(int.from_bytes(length, "little"), _MAX_HEADER_BYTES))
    try:
        header = json.loads(encoded)
        _check_header(header)
    except (ValueError, TypeError, KeyError) as error:
        raise SnapshotDamaged("the header of a sealed file was changed") from error
    return start + length + encoded, header


def _check_header(header: Any) -> None:
    """Refuse what would not be read as arrays; whether it is true is the chunks' to say."""
    bytes.fromhex(header["salt"])
    if not isinstance(header["key_id"], str) or not isinstance(header["about"], dict):
        raise TypeError
    for name, dtype, shape in header["arrays"]:
        if not isinstance(name, str) or np.dtype(dtype).hasobject or math.prod(shape) < 0:
            raise TypeError


def _read_array(
    file: BinaryIO, cipher: _Cipher, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> npt.NDArray[np.generic]:
    remaining = os.fstat(file.fileno()).st_size - file.tell()
    if math.prod(shape) * dtype.itemsize > remaining:  # before memory is taken for it
        raise SnapshotDamaged("a sealed file ends early")
    array = _allocate(shape, dtype)
    buffer = memoryview(bytearray(_CHUNK_BYTES + _TAG_BYTES))
    for number, chunk in enumerate(_chunks(array), 1):
        sealed = buffer[: len(chunk) + _TAG_BYTES]
        _read_exactly(file, sealed)
        cipher.open(sealed, chunk)
        if number % _FORGET_EVERY == 0:
            _forget(file)
    return array


def _allocate(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[np.generic]:
    """Make an array in ordinary pages.

    NumPy asks for huge ones. Where memory is full of cached files, the kernel takes longer to put
    these together than it takes to open all that will lie in them.
    """
    size = math.prod(shape) * dtype.itemsize
    if size == 0:
        return np.empty(shape, dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(memory, dtype).reshape(shape)


def _chunks(array: npt.NDArray[np.generic]) -> Iterator[memoryview]:
    """Cut the memory of an array; nothing is copied."""
    content = memoryview(array.reshape(-1).view(np.uint8).data)
    for start in range(0, len(content), _CHUNK_BYTES):
        yield content[start : start + _CHUNK_BYTES]


def _forget(file: BinaryIO) -> None:
    """Have the kernel drop what was read: its memory is used again for what is read next.

    A file of gigabytes is read once, and would else take as much memory from everything else.
    """
    os.posix_fadvise(file.fileno(), 0, file.tell(), os.POSIX_FADV_DONTNEED)


def _read_exactly(file: BinaryIO, into: memoryview) -> None:
    while into:
        count = file.readinto(into)  # type: ignore[attr-defined]
        if not count:
            raise SnapshotDamaged("a sealed file ends early")
        into = into[count:]


def _preface_start() -> bytes:
    return _MAGIC + FORMAT_VERSION.to_bytes(2, "little")
