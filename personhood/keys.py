"""Where the service's keys come from: the environment, or files under `home` made once."""

import os
from pathlib import Path

from personhood.errors import KeyUnusable
from personhood.settings import Settings
from uniqueness.key_files import KeyFiles, load_or_create_key
from uniqueness.rotation import GALLERY_TABLES, SealedTable
from uniqueness.sealing import KEY_BYTES, Keyring


def template_keys(settings: Settings) -> Keyring:
    """The keys that encrypt records at rest: all from the environment, or all from files.

    Raises:
        KeyUnusable: a variable holds what is not 32 bytes in hex, or retired keys without the
            active one.
        InvalidKey: a key file cannot be used.
    """
    if settings.template_key is None:
        if settings.template_keys_retired is not None:
            raise KeyUnusable(
                "PERSONHOOD_TEMPLATE_KEYS_RETIRED is set without PERSONHOOD_TEMPLATE_KEY: set "
                "both, or keep all keys in files"
            )
        return KeyFiles(settings.template_key_file())
    active = _parse_key("PERSONHOOD_TEMPLATE_KEY", settings.template_key.get_secret_value())
    given = settings.template_keys_retired
    retired = given.get_secret_value().split(",") if given else []
    return Keyring(
        active, [_parse_key("PERSONHOOD_TEMPLATE_KEYS_RETIRED", text.strip()) for text in retired]
    )


def sealed_tables() -> tuple[SealedTable, ...]:
    """Everything that the template keys seal: a rotation has to reach all of it."""
    from enrollment.kept import KEPT
    from enrollment.persons import PERSONS

    return (*GALLERY_TABLES, PERSONS, KEPT)


def receipt_key(settings: Settings) -> bytes:
    """The 32 bytes that sign receipts: the service's Ed25519 private key.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / "receipt.key")


def console_key(settings: Settings) -> bytes:
    """The 32 bytes that seal the secrets of operators' one-time passwords.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / "console.key")


def replay_key(settings: Settings) -> bytes:
    """The 32 bytes under which recent captures are remembered.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / "replay.key")


def challenge_key(settings: Settings) -> bytes:
    """The 32 bytes by which the service knows the challenges that it gave to wallets.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / "challenge.key")


def log_key(settings: Settings) -> bytes:
    """The 32 bytes that sign the decision log's checkpoints: its Ed25519 private key.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / "log.key")


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


def _parse_key(variable: str, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnusable(
            f"{variable} is not 32 bytes in hex: unset it to have a key file made, or make a key "
            "with `openssl rand -hex 32`"
        )
    return key
