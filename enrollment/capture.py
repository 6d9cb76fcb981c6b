"""Bytes from a kiosk to pixels, within limits, in memory only.

The format is judged by content, never by a name or header field. The pixel limit is checked on
the image's own header, before anything is decompressed.
"""

import io
from typing import Final

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

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
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ImageTooManyPixels(_too_many_pixels())
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        raise ImageTooManyPixels(_too_many_pixels()) from error
    # Pillow's decoders answer damaged data with whatever failed inside them.
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        LookupError,
        ArithmeticError,
        EOFError,
        TypeError,
    ) as error:
        raise ImageTruncated("The photograph is incomplete or damaged. Send it again.") from error
    return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])


def _is_known_format(content: bytes) -> bool:
    return content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def _too_many_pixels() -> str:
    return f"The photograph has more than {MAX_PIXELS // 10**6} million pixels."
