"""A party's store under a new key: all of it, also what broke off, and the old key is gone."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.unit.uniqueness.three_parties import Three
from uniqueness.errors import WrongKey
from uniqueness.key_files import KeyFiles
from uniqueness.private import party_rotation
from uniqueness.private.party_rotation import rotate


def test_everything_opens_under_the_new_key_alone(tmp_path: Path) -> None:
    three = Three.in_directory(tmp_path)
    three.enrol("b1", 1, 2, 3)
    three.erase("b2", 2)
    three.prepare("b3", 3, 4)
    old = (tmp_path / "party1/store.key").read_bytes()
    assert rotate_party(tmp_path) == 4
    assert (tmp_path / "party1/store.key").read_bytes() != old
    assert not list((tmp_path / "party1/store.key.retired").iterdir())
    for one in (three, Three.in_directory(tmp_path)):  # that which runs, and one started later
        one.open_session(f"s{id(one)}")
        one.load("b3")
        assert one.reached() == [True, False]


def test_what_broke_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three = Three.in_directory(tmp_path)
    three.enrol("b1", 1, 2, 3)

    def fail(*_: object) -> None:
        raise WrongKey("a share that cannot be opened")

    with monkeypatch.context() as broken:
        broken.setattr(party_rotation, "_reseal", fail)
        with pytest.raises(WrongKey):
            rotate_party(tmp_path)
    assert rotate_party(tmp_path) == 3
    assert not list((tmp_path / "party1/store.key.retired").iterdir())
    assert len(three.parties[1].hand_over(0, 0, 3).sealed)


def rotate_party(directory: Path) -> int:
    home = directory / "party1"
    return rotate(create_engine(f"sqlite:///{home}/shares.db"), KeyFiles(home / "store.key"), 1)
