"""Whose photographs the demo sends: those of a directory, or those inside pinned packages."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageEnhance

from personhood.errors import FacesUnusable

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_JPEG_QUALITY = 92

# Where single people stand in the default photographs: left, top, right, bottom in pixels.
_GROUP = {
    "group photograph, 1st person": (0, 180, 260, 500),
    "group photograph, 2nd person": (190, 70, 450, 360),
    "group photograph, 3rd person": (390, 180, 650, 500),
    "group photograph, 4th person": (680, 270, 910, 550),
    "group photograph, 5th person": (820, 0, 1080, 280),
    "group photograph, 6th person": (1060, 190, 1280, 480),
}
_ASTRONAUT = (100, 0, 380, 300)


@dataclass(frozen=True, slots=True)
class Person:
    """A label and encoded photographs, at least two.

    Attributes:
        has_second: whether the second is another photograph, or only another crop and exposure
            of the first.
    """

    name: str
    photographs: tuple[bytes, ...]
    has_second: bool


@dataclass(frozen=True, slots=True)
class BadPhotograph:
    """A photograph that must be refused, and the code of the refusal."""

    name: str
    photograph: bytes
    expected_code: str


def read_default_people() -> Iterator[Person]:
    """Seven people: six of insightface's group photograph, one of scikit-image's."""
    with Image.open(_package_file("insightface", "data/images/t1.jpg")) as group:
        for name, box in _GROUP.items():
            yield _cropped(name, group, box)
    with Image.open(_package_file("skimage", "data/astronaut.png")) as portrait:
        yield _cropped("astronaut", portrait, _ASTRONAUT)


def read_people(directory: Path) -> Iterator[Person]:
    """People of a directory with one folder a person, as LFW is laid out.

    Those with two photographs and more come first; of the others the second is made from the
    first.

    Raises:
        FacesUnusable: there is no such directory, or no folder with a photograph in it.
    """
    if not directory.is_dir():
        raise FacesUnusable(f"{directory} is no directory: name one with a folder for each person")
    folders = {folder: _photographs(folder) for folder in sorted(directory.iterdir())}
    if not any(folders.values()):
        raise FacesUnusable(
            f"{directory} has no folder with photographs: it needs one for each person, "
            "as in Labeled Faces in the Wild"
        )
    return _people_in(folders)


def _people_in(folders: dict[Path, list[Path]]) -> Iterator[Person]:
    for folder, paths in folders.items():
        if len(paths) > 1:
            yield Person(folder.name, tuple(path.read_bytes() for path in paths), has_second=True)
    for folder, paths in folders.items():
        if len(paths) == 1:
            with Image.open(paths[0]) as photograph:
                yield _cropped(folder.name, photograph, (0, 0, *photograph.size))


def read_bad_photographs() -> tuple[BadPhotograph, ...]:
    """A cat, and six people at once."""
    return (
        BadPhotograph(
            "a cat", _package_file("skimage", "data/chelsea.png").read_bytes(), "no_face"
        ),
        BadPhotograph(
            "six people",
            _package_file("insightface", "data/images/t1.jpg").read_bytes(),
            "multiple_faces",
        ),
    )


def _photographs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def _cropped(name: str, photograph: Image.Image, box: tuple[int, int, int, int]) -> Person:
    """A person of whom there is one picture: as it is, and tilted, cut closer and darker."""
    first = photograph.convert("RGB").crop(box)
    width, height = first.size
    tilted = first.rotate(4, resample=Image.Resampling.BICUBIC)
    closer = tilted.crop((width // 14, height // 12, width - width // 10, height - height // 12))
    second = ImageEnhance.Brightness(closer).enhance(0.7)
    return Person(name, (_encode(first), _encode(second)), has_second=False)


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _package_file(package: str, name: str) -> Path:
    """A file of an installed package, found without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FacesUnusable(f"the package {package} is not installed: run `make install`")
    return Path(spec.origin).parent / name
