"""Where the service's keys come from: the environment, or files under `home` made once."""

import os
from pathlib import Path

from personhood.errors import KeyUnusable
from personhood.settings import Settings
from uniqueness.sealing import load_or_create_key


def template_key(settings: Settings) -> bytes:
    """The 32 bytes that encrypt templates at rest.

    Raises:
        KeyUnusable: the variable is not 32 bytes in hex.
        InvalidKey: the key file cannot be used.
    """
    if settings.template_key is None:
        return load_or_create_key(settings.data_dir() / "template.key")
    try:
        key = bytes.fromhex(settings.template_key.get_secret_value())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise KeyUnusable(
            "PERSONHOOD_TEMPLATE_KEY is not 32 bytes in hex: unset it to have a key file made, "
            "or make one with `openssl rand -hex 32`"
        )
    return key


def receipt_key(settings: Settings) -> bytes:
    """The 32 bytes that sign receipts: the service's Ed25519 private key.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / "receipt.key")


def write_private(path: Path, content: bytes) -> None:
    """Write a new file for this user alone (mode 0600).

    Raises:
        KeyUnusable: it exists, or cannot be written; what exists is left alone.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be written: {error.strerror}") from error
