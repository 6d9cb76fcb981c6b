"""Where the service's keys come from: the environment, or files under `home` made once."""

from personhood.errors import KeyUnusable
from personhood.settings import Settings
from uniqueness.sealing import load_or_create_key

_MIN_TOKEN_LENGTH = 32  # characters


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


def kiosk_token(settings: Settings) -> str:
    """What a kiosk shows the service.

    Raises:
        KeyUnusable: the variable is shorter than 32 characters.
        InvalidKey: the key file cannot be used.
    """
    if settings.kiosk_token is None:
        return load_or_create_key(settings.data_dir() / "kiosk.key").hex()
    token = settings.kiosk_token.get_secret_value()
    if len(token) < _MIN_TOKEN_LENGTH:
        raise KeyUnusable(
            "PERSONHOOD_KIOSK_TOKEN is shorter than 32 characters: make one with "
            "`openssl rand -hex 32`"
        )
    return token
