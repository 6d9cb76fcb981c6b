"""Identities at rest: Web3 Secret Storage version 3, scrypt, in a file of mode 0600.

Beside the standard's fields the file holds the commitment, which is public anyway (it is posted
with the members' root), so that a wallet can show it without the password; and a checksum, so that
a damaged file is not taken for a wrong password. The standard's `address` is left out: this key is
no Ethereum account's, and its address would only be one more thing to recognise the owner by.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from eth_keyfile.exceptions import EthKeyfileValueError
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from eth_utils.exceptions import ValidationError

from identity_proofs.errors import (
    InvalidCommitment,
    KeystoreDamaged,
    KeystoreExists,
    KeystoreMissing,
    UnstorableKey,
    UnsupportedKeystore,
    WrongPassword,
)
from identity_proofs.field import parse_commitment
from identity_proofs.identity import PRIVATE_KEY_BYTES, Identity

WORK_FACTOR = 2**18
"""scrypt's N: with r = 8, 256 MiB and about a second for each guess."""

_MAX_WORK_FACTOR = 2**22
_VERSION = 3
_ALGORITHMS = ("aes-128-ctr", "scrypt")


def save_identity(
    path: Path, identity: Identity, password: str, *, work_factor: int = WORK_FACTOR
) -> None:
    """Write `identity`, encrypted, to a new file that only its owner can read.

    `work_factor` is scrypt's N, a power of two. On return the file has reached the disk. Raises
    `KeystoreExists` if there is anything at `path`, `UnstorableKey` if the private key is not 32
    bytes of a number the format allows, `OSError` if the disk refuses.
    """
    keystore = _encrypt(identity, password, work_factor)
    keystore["commitment"] = str(identity.commitment)
    keystore["checksum"] = _checksum(keystore)
    content = json.dumps(keystore, indent=2).encode() + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeystoreExists(f"{path} exists; choose another name or move it away.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()  # half a keystore would only stand in the way of the next try
        raise
    _sync_directory(path.parent)


def load_identity(path: Path, password: str) -> Identity:
    """Read and decrypt an identity.

    Raises `KeystoreMissing`, `KeystoreDamaged`, `UnsupportedKeystore` or `WrongPassword`.
    """
    keystore = _read(path)
    try:
        private_key = decode_keyfile_json(keystore, password.encode())
    except EthKeyfileValueError:
        raise WrongPassword(f"This password does not open {path}.") from None
    except (KeyError, TypeError, ValueError):
        raise KeystoreDamaged(f"{path} is damaged; restore it from a backup.") from None
    identity = Identity.from_private_key(private_key)
    if _commitment(keystore, path) not in {None, identity.commitment}:
        raise KeystoreDamaged(f"{path} holds another identity than its commitment says.")
    return identity


def read_commitment(path: Path) -> int:
    """Return the public commitment of a stored identity, without its password.

    Raises `KeystoreMissing`, `KeystoreDamaged` or `UnsupportedKeystore`.
    """
    commitment = _commitment(_read(path), path)
    if commitment is None:
        raise KeystoreDamaged(f"{path} does not say its commitment; open it with the password.")
    return commitment


def _encrypt(identity: Identity, password: str, work_factor: int) -> dict[str, Any]:
    key = identity.private_key
    if len(key) != PRIVATE_KEY_BYTES:
        raise UnstorableKey("Only identities with a private key of 32 bytes can be stored.")
    try:
        keystore = create_keyfile_json(key, password.encode(), kdf="scrypt", iterations=work_factor)
    except (EthKeyfileValueError, ValidationError):
        raise UnstorableKey("This format cannot hold a private key of this value.") from None
    del keystore["address"]
    return keystore


def _read(path: Path) -> dict[str, Any]:
    try:
        keystore = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise KeystoreMissing(f"There is no keystore at {path}.") from None
    except ValueError:
        raise KeystoreDamaged(f"{path} is not JSON; restore it from a backup.") from None
    if not isinstance(keystore, dict):
        raise KeystoreDamaged(f"{path} is no keystore; restore it from a backup.")
    _refuse_unsupported(keystore, path)
    # A keystore from another program has no checksum.
    if keystore.get("checksum", _checksum(keystore)) != _checksum(keystore):
        raise KeystoreDamaged(f"{path} was changed or damaged; restore it from a backup.")
    return keystore


def _refuse_unsupported(keystore: dict[str, Any], path: Path) -> None:
    if keystore.get("version") != _VERSION:
        raise UnsupportedKeystore(f"{path} is not of version {_VERSION} of Web3 Secret Storage.")
    try:
        crypto = keystore["crypto"]
        algorithms = (crypto["cipher"], crypto["kdf"])
        work_factor = crypto["kdfparams"]["n"] if algorithms == _ALGORITHMS else 0
    except (KeyError, TypeError):
        raise KeystoreDamaged(f"{path} lacks a part; restore it from a backup.") from None
    if algorithms != _ALGORITHMS:
        raise UnsupportedKeystore(f"{path} must use {' and '.join(_ALGORITHMS)}.")
    if not isinstance(work_factor, int) or work_factor > _MAX_WORK_FACTOR:
        raise UnsupportedKeystore(f"{path} asks for more memory than any wallet should need.")


def _commitment(keystore: dict[str, Any], path: Path) -> int | None:
    if "commitment" not in keystore:
        return None
    try:
        return parse_commitment(keystore["commitment"])
    except (InvalidCommitment, TypeError):
        raise KeystoreDamaged(f"{path} holds no valid commitment.") from None


def _checksum(keystore: dict[str, Any]) -> str:
    """SHA-256 of every other field, as JSON with sorted keys and no spaces."""
    fields = {name: value for name, value in keystore.items() if name != "checksum"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
