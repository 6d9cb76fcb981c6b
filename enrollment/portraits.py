"""The picture of a face that is kept where its person consents: for people's eyes and new models.

Twice as wide as the face, so that any detector finds it again, and no more of the place than that.
"""

import io
from typing import Final

from PIL import Image as PillowImage

from enrollment.capture import wiped
from enrollment.engine import square_around
from enrollment.faces import DetectedFace, Image

MAX_SIDE: Final = 448  # pixels
_SCALE: Final = 2.0  # of the face's box
_QUALITY: Final = 95  # of JPEG


def portrait(image: Image, face: DetectedFace) -> bytes:
    """Cut a face out of an (h, w, 3) uint8 BGR photograph; a JPEG of at most `MAX_SIDE` pixels."""
    longer = float((face.box[2:] - face.box[:2]).max())
    side = max(1, min(MAX_SIDE, round(_SCALE * longer)))
    crop = square_around(image, face, _SCALE, side)
    buffer = io.BytesIO()
    with wiped(crop):
        picture = PillowImage.fromarray(crop[..., ::-1])
        picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
        picture.paste(0, (0, 0, *picture.size))
    return buffer.getvalue()
