"""Photographs of people, a cat and a cup, out of packages that are installed anyway."""

import io
from importlib import resources
from pathlib import Path

from PIL import Image, ImageEnhance


def astronaut() -> Image.Image:
    """Eileen Collins (NASA, public domain)."""
    return _open("skimage", "data/astronaut.png")


def six_people() -> Image.Image:
    """Six people at a table."""
    return _open("insightface", "data/images/t1.jpg")


def cat() -> Image.Image:
    """A cat."""
    return _open("skimage", "data/chelsea.png")


def coffee() -> Image.Image:
    """A cup and nobody."""
    return _open("skimage", "data/coffee.png")


def person_of_six(number: int) -> Image.Image:
    """One of the six people alone, from left to right, three times as large."""
    left, top = ((20, 230), (220, 105), (420, 230), (700, 310), (860, 30), (1080, 235))[number]
    face = six_people().crop((left, top, left + 190, top + 200))
    return face.resize((570, 600), Image.Resampling.BICUBIC)


def another_exposure(image: Image.Image) -> Image.Image:
    """The same person as another photograph: cropped, smaller, darker, flatter."""
    width, height = image.size
    box = int(0.04 * width), int(0.02 * height), int(0.97 * width), int(0.95 * height)
    crop = image.crop(box)
    small = crop.resize((int(crop.width * 0.8), int(crop.height * 0.8)))
    return ImageEnhance.Contrast(ImageEnhance.Brightness(small).enhance(0.75)).enhance(0.85)


def as_jpeg(image: Image.Image, quality: int = 92, **options: object) -> bytes:
    """Encode."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def as_png(image: Image.Image) -> bytes:
    """Encode without loss."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _open(package: str, path: str) -> Image.Image:
    with resources.as_file(resources.files(package) / path) as file:
        return Image.open(Path(file)).convert("RGB")
