"""Bytes from a kiosk to pixels, within limits, in memory only.

The format is judged by content, never by a name or header field. The pixel limit is checked on
the image's own header, before anything is decompressed; of an animation the first picture counts.

What Python lets us overwrite is overwritten: our arrays (`wiped`) and Pillow's own pixels. The
bytes of the request are immutable and are freed, not overwritten.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from enrollment.errors import (
    ImageEmpty,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageTruncated,
    ImageUnsupported,
)
from enrollment.faces import Image

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_PIXELS: Final = 25_000_000

_FORMATS = ("JPEG", "PNG", "WEBP")


def decode(content: bytes) -> Image:
    """Decode a photograph.

    Args:
        content: a JPEG, PNG or WebP file of at most `MAX_BYTES` and `MAX_PIXELS`.

    Returns:
        (h, w, 3) uint8 BGR, turned upright as its EXIF orientation says.

    Raises:
        ImageEmpty, ImageTooLarge, ImageUnsupported, ImageTooManyPixels, ImageTruncated: each
            names the one thing that is wrong.
    """
    if not content:
        raise ImageEmpty("The photograph has no bytes. Take it again.")
    if len(content) > MAX_BYTES:
        raise ImageTooLarge(f"The photograph is larger than {MAX_BYTES // 2**20} MiB.")
    if not _is_known_format(content):
        raise ImageUnsupported("The file is not a JPEG, PNG or WebP photograph.")
    try:
        with PillowImage.open(io.BytesIO(content), formats=_FORMATS) as image:
            _require_size(image)
            return _upright_bgr(image)
    except ImageTooManyPixels:
        raise
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        raise ImageTooManyPixels(_too_many_pixels()) from error
    except Exception as error:  # damaged data is answered with whatever failed inside a decoder
        raise ImageTruncated("The photograph is incomplete or damaged. Send it again.") from error


@contextmanager
def wiped(*arrays: Image) -> Iterator[None]:
    """Overwrite images with zeros when the block ends, however it ends."""
    try:
        yield
    finally:
        for array in arrays:
            array.fill(0)


def _upright_bgr(image: PillowImage.Image) -> Image:
    ImageOps.exif_transpose(image, in_place=True)
    colour = _as_rgb(image)
    try:
        pixels = bytearray(colour.tobytes("raw", "BGR"))  # Pillow swaps faster than NumPy
        return np.frombuffer(pixels, np.uint8).reshape(colour.height, colour.width, 3)
    finally:
        for picture in (image, colour):
            picture.paste(0, (0, 0, *picture.size))


def _as_rgb(image: PillowImage.Image) -> PillowImage.Image:
    """Bring every mode of the three formats to eight bits of red, green and blue."""
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow would keep the lowest 8
        return PillowImage.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:  # what nobody would see must not be what we look at
        seen = image.convert("RGBA")
        paper = PillowImage.new("RGBA", image.size, "white")
        paper.alpha_composite(seen)
        return paper.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_known_format(content: bytes) -> bool:
    return content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def _require_size(image: PillowImage.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooManyPixels(_too_many_pixels())


def _too_many_pixels() -> str:
    return f"The photograph has more than {MAX_PIXELS // 10**6} million pixels."
