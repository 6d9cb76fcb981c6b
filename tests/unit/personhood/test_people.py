"""Whose photographs the demo sends."""

import io
from pathlib import Path

import pytest
from PIL import Image

from personhood.demo.people import read_bad_photographs, read_default_people, read_people
from personhood.errors import FacesUnusable


def photograph(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), (shade, shade, shade)).save(path)


def test_the_default_people_come_from_installed_packages() -> None:
    people = list(read_default_people())
    assert len(people) == 7
    for person in people:
        first, second = person.photographs
        assert first != second
        assert Image.open(io.BytesIO(second)).size < Image.open(io.BytesIO(first)).size
        assert not person.has_second
    assert {bad.expected_code for bad in read_bad_photographs()} == {"no_face", "multiple_faces"}


def test_people_with_two_photographs_come_first(tmp_path: Path) -> None:
    photograph(tmp_path / "anna" / "1.png", 10)
    photograph(tmp_path / "boris" / "1.png", 20)
    photograph(tmp_path / "boris" / "2.png", 30)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no folder")
    boris, anna = read_people(tmp_path)
    assert (boris.name, boris.has_second, len(boris.photographs)) == ("boris", True, 2)
    assert (anna.name, anna.has_second, len(anna.photographs)) == ("anna", False, 2)


@pytest.mark.parametrize("directory", ["none", "."])
def test_a_directory_without_people(tmp_path: Path, directory: str) -> None:
    with pytest.raises(FacesUnusable):
        list(read_people(tmp_path / directory))
