import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from enrollment.capture import MAX_BYTES, decode, wiped
from enrollment.errors import (
    ImageEmpty,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageTruncated,
    ImageUnsupported,
)


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_pixels_come_out_as_bgr():
    image = decode(encode(Image.new("RGB", (3, 2), (10, 20, 30))))
    assert image.shape == (2, 3, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [30, 20, 10]
    assert image.flags.c_contiguous


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_formats_are_taken_whole_and_refused_cut(kind):
    content = encode(noise(400, 300), kind)
    assert decode(content).shape == (300, 400, 3)
    for part in (0.1, 0.5, 0.9):
        with pytest.raises(ImageTruncated):
            decode(content[: int(len(content) * part)])


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO"])
def test_other_formats_are_refused_by_content(kind):
    with pytest.raises(ImageUnsupported):
        decode(encode(noise(), kind))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_other_modes_become_three_channels(mode):
    image = decode(encode(Image.new(mode, (4, 4))))
    assert image.shape == (4, 4, 3)


def test_cmyk_jpeg_becomes_three_channels():
    assert decode(encode(Image.new("CMYK", (4, 4)), "JPEG")).shape == (4, 4, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    shape = decode(encode(noise(40, 30), "JPEG", exif=exif)).shape[:2]
    assert shape == ((30, 40) if orientation <= 4 else (40, 30))


def test_nothing_and_too_much_are_refused():
    with pytest.raises(ImageEmpty):
        decode(b"")
    with pytest.raises(ImageTooLarge):
        decode(b"\xff\xd8\xff" + bytes(MAX_BYTES))


def test_too_many_pixels_are_refused_before_they_are_decompressed():
    content = encode(Image.new("1", (10_000, 10_000)))
    assert len(content) < 20_000
    tracemalloc.start()
    with pytest.raises(ImageTooManyPixels):
        decode(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_files_are_decoded_or_refused_but_nothing_else(kind):
    content = encode(noise(120, 90), kind)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for position in random.integers(0, len(content), 4):
            damaged[position] = random.integers(256)
        try:
            decode(bytes(damaged))
        except (ImageTruncated, ImageUnsupported, ImageTooManyPixels):
            continue


def test_sixteen_bits_of_grey_keep_their_upper_eight():
    grey = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    decoded = decode(encode(Image.fromarray(grey)))
    assert np.array_equal(decoded, (grey >> 8).astype(np.uint8)[:, :, None].repeat(3, axis=2))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_transparent_is_not_looked_at(mode):
    hidden = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    picture = hidden.convert("LA") if mode == "LA" else hidden
    if mode == "PA":
        picture = Image.new("P", (4, 4), 0)
        picture.putpalette([10, 20, 30] * 256)
        content = encode(picture, transparency=0)
    else:
        content = encode(picture)
    assert (decode(content) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_counts(kind):
    pictures = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    content = encode(pictures[0], kind, save_all=True, append_images=pictures[1:])
    blue, green, red = decode(content)[4, 4].tolist()
    assert red > 200
    assert max(blue, green) < 50


def test_cmyk_keeps_its_colours():
    content = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    blue, green, red = decode(content)[8, 8].tolist()
    assert red > 230
    assert max(blue, green) < 25


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_moves_the_right_corner(kind):
    """Orientation 6: the camera was turned, the file's left is the picture's top."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :16] = 255  # the file's upper left is the picture's upper right
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encode(Image.fromarray(pixels), kind, exif=exif))
    assert decoded.shape == (48, 32, 3)
    assert decoded[4, 28].min() > 200
    assert decoded[4, 4].max() < 50


def test_wiped_images_are_zero_also_after_an_error():
    image = decode(encode(noise()))
    copy = image.copy()
    assert image.any()
    with pytest.raises(ImageEmpty), wiped(image, copy):
        decode(b"")
    assert not image.any()
    assert not copy.any()
