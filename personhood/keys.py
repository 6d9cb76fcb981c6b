"""Where the service's keys come from: the environment, or files under `home` made once."""

import os
from enum import StrEnum
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


class ServiceKey(StrEnum):
    """A key of 32 bytes that the service makes for itself, by the name of its file."""

    RECEIPT = "receipt.key"  # signs receipts: an Ed25519 private key
    LOG = "log.key"  # signs the decision log's checkpoints: likewise
    REPLAY = "replay.key"  # hides recent captures
    CHALLENGE = "challenge.key"  # knows the challenges that were given to wallets
    CONSOLE = "console.key"  # seals the secrets of operators' one-time passwords


def service_key(settings: Settings, which: ServiceKey) -> bytes:
    """One of the service's own keys, made on first use.

    Raises:
        InvalidKey: the key file cannot be used.
    """
    return load_or_create_key(settings.data_dir() / which)


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
