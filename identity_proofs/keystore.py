"""Identities at rest: Web3 Secret Storage version 3, scrypt, in a file of mode 0600.

Beside the standard's fields the file holds the commitment, which is public anyway (it is posted
with the members' root), so that a wallet can show it without the password; and a checksum, so that
a damaged file is not taken for a wrong password. The standard's `address` is left out: this key is
no Ethereum account's, and its address would only be one more thing to recognise the owner by.

A private key may be any bytes, as in the JavaScript SDK, where text is a key too. The standard
encrypts any; Ethereum's own programs open a file whose key is 32 bytes and valid for secp256k1.
"""

import hashlib
import hmac
import json
import math
import os
import secrets
import uuid
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sha3 import keccak_256

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
from identity_proofs.identity import Identity

WORK_FACTOR = 2**18
"""scrypt's N: with r = 8, 256 MiB and about a second for each guess."""

_BLOCK_SIZE = 8  # scrypt's r
_MAX_COST = 2**22 * _BLOCK_SIZE  # n r p of a file that we open; 4 GiB and half a minute
_DERIVED_BYTES = 32  # 16 to encrypt, 16 to authenticate
_VERSION = 3
_ALGORITHMS = ("aes-128-ctr", "scrypt")
_MAX_FILE_BYTES = 16 << 10  # also keeps the JSON from nesting deep: web3 lifts the recursion limit
_MAX_KEY_BYTES = 4 << 10


def save_identity(
    path: Path, identity: Identity, password: str, *, work_factor: int = WORK_FACTOR
) -> None:
    """Write `identity`, encrypted, to a new file that only its owner can read.

    `work_factor` is scrypt's N, a power of two. On return the file has reached the disk. Raises
    `KeystoreExists` if there is anything at `path`, `UnstorableKey` if the private key is empty or
    has more than 4096 bytes, `OSError` if the disk refuses.
    """
    keystore = _encrypt(identity, password, work_factor)
    keystore["commitment"] = str(identity.commitment)
    keystore["checksum"] = _checksum(keystore)
    content = json.dumps(keystore, indent=2).encode() + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _exists(path) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()  # half a keystore would only stand in the way of the next try
        raise
    _sync_directory(path.parent)


def require_absent(path: Path) -> None:
    """Raise `KeystoreExists` if there is anything at `path`: before a person types much."""
    if os.path.lexists(path):
        raise _exists(path)


def load_identity(path: Path, password: str) -> Identity:
    """Read and decrypt an identity.

    Raises `KeystoreMissing`, `KeystoreDamaged`, `UnsupportedKeystore` or `WrongPassword`.
    """
    keystore = _read(path)
    try:
        private_key = _decrypt(keystore["crypto"], password)
    except (KeyError, TypeError, ValueError):
        raise KeystoreDamaged(f"{path} is damaged; restore it from a backup.") from None
    if private_key is None:
        raise WrongPassword(f"This password does not open {path}.")
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


def _exists(path: Path) -> KeystoreExists:
    return KeystoreExists(f"{path} exists; choose another name or move it away.")


def _encrypt(identity: Identity, password: str, work_factor: int) -> dict[str, Any]:
    if not 0 < len(identity.private_key) <= _MAX_KEY_BYTES:
        raise UnstorableKey(f"A keystore holds a private key of 1 to {_MAX_KEY_BYTES} bytes.")
    salt, iv = secrets.token_bytes(_DERIVED_BYTES), secrets.token_bytes(AES.block_size // 8)
    costs = {"n": work_factor, "r": _BLOCK_SIZE, "p": 1}
    encryption_key, mac_key = _derive(password, salt, **costs)
    ciphertext = _aes_ctr(encryption_key, iv, identity.private_key)
    return {
        "version": _VERSION,
        "id": str(uuid.uuid4()),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": _DERIVED_BYTES, "salt": salt.hex(), **costs},
            "mac": _mac(mac_key, ciphertext).hex(),
        },
    }


def _decrypt(crypto: dict[str, Any], password: str) -> bytes | None:
    """Return the private key, or None for a wrong password.

    Raises `KeyError`, `TypeError` or `ValueError` if a part is missing or not what it should be.
    """
    parameters = crypto["kdfparams"]
    salt = bytes.fromhex(parameters["salt"])
    iv = bytes.fromhex(crypto["cipherparams"]["iv"])
    ciphertext, mac = bytes.fromhex(crypto["ciphertext"]), bytes.fromhex(crypto["mac"])
    costs = {name: parameters[name] for name in ("n", "r", "p")}
    encryption_key, mac_key = _derive(password, salt, **costs)
    if not hmac.compare_digest(_mac(mac_key, ciphertext), mac):
        return None
    return _aes_ctr(encryption_key, iv, ciphertext)


def _derive(password: str, salt: bytes, *, n: int, r: int, p: int) -> tuple[bytes, bytes]:
    """Return the key that encrypts and the key that authenticates, 16 bytes each."""
    derived = Scrypt(salt=salt, length=_DERIVED_BYTES, n=n, r=r, p=p).derive(password.encode())
    return derived[:16], derived[16:]


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt; in counter mode they are the same."""
    cipher = Cipher(AES(key), CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise KeystoreMissing(f"There is no keystore at {path}.") from None
    if len(content) > _MAX_FILE_BYTES:
        raise KeystoreDamaged(f"{path} is too large for a keystore; restore it from a backup.")
    try:
        keystore = json.loads(content)
    except (ValueError, RecursionError):
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
        parameters = crypto["kdfparams"]
        costs = [parameters[name] for name in ("n", "r", "p") if algorithms == _ALGORITHMS]
    except (KeyError, TypeError):
        raise KeystoreDamaged(f"{path} lacks a part; restore it from a backup.") from None
    if algorithms != _ALGORITHMS:
        raise UnsupportedKeystore(f"{path} must use {' and '.join(_ALGORITHMS)}.")
    if not all(type(cost) is int and cost > 0 for cost in costs):
        raise KeystoreDamaged(f"{path} has impossible scrypt parameters; restore it.")
    if math.prod(costs) > _MAX_COST:
        raise UnsupportedKeystore(f"{path} asks for more memory than any wallet should need.")


def _commitment(keystore: dict[str, Any], path: Path) -> int | None:
    if "commitment" not in keystore:
        return None
    try:
        return parse_commitment(keystore["commitment"])
    except (InvalidCommitment, TypeError):
        raise KeystoreDamaged(f"{path} holds no valid commitment.") from None


def _mac(mac_key: bytes, ciphertext: bytes) -> bytes:
    digest: bytes = keccak_256(mac_key + ciphertext).digest()
    return digest


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
