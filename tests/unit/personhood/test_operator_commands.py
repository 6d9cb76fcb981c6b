"""`personhood keys` and `personhood db`, as an operator types them."""

import re
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from personhood import schema
from personhood.cli import app
from personhood.database import open_database
from personhood.errors import DatabaseBehind
from personhood.keys import template_keys
from personhood.settings import Settings
from uniqueness.decision import Thresholds
from uniqueness.errors import GalleryOwned
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.ownership import Ownership
from uniqueness.store import GalleryStore
from uniqueness.template import Probe, Template

MODEL = "model-1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
    return tmp_path


def personhood(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def enroll(count: int) -> None:
    settings = Settings()
    engine = open_database(settings)
    store = GalleryStore(engine, template_keys(settings))
    vectors = np.eye(8, dtype=np.float32)
    with Gallery.open(store, {MODEL: FaissFlatIndex(8)}, Thresholds(0.5, 0.6)) as gallery:
        for number in range(count):
            probe = Probe((Template(vectors[number], MODEL),))
            gallery.identify_and_enroll(probe, str(number))
    engine.dispose()


def test_a_rotation_tells_what_may_be_destroyed(home: Path) -> None:
    enroll(3)
    (first,) = template_keys(Settings()).key_ids
    assert re.search(rf"{first}  active +6 records", personhood("keys", "status"))
    told = personhood("keys", "rotate")
    assert "6 records were sealed anew" in told
    assert f"{home}/template.key.retired/{first}, seals no record any more" in told
    second, *retired = template_keys(Settings()).key_ids
    assert retired == [first]
    status = personhood("keys", "status")
    assert re.search(rf"{second}  active +6 records", status)
    assert re.search(rf"{first}  retired +0 records", status)


def test_keys_from_the_environment_are_the_operators_to_replace(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("PERSONHOOD_TEMPLATE_KEY", "aa" * 32)
    enroll(2)
    monkeypatch.setenv("PERSONHOOD_TEMPLATE_KEY", "bb" * 32)
    assert re.search(r"MISSING +4 records", personhood("keys", "status"))
    monkeypatch.setenv("PERSONHOOD_TEMPLATE_KEYS_RETIRED", "aa" * 32)
    assert "4 records were sealed anew" in personhood("keys", "rotate")
    assert "0 records were sealed anew" in personhood("keys", "rotate")
    assert not list(home.glob("template.key*"))


def test_an_interrupted_rotation_goes_on_with_the_key_it_made() -> None:
    enroll(2)
    keys = template_keys(Settings())
    keys.replace_active()  # type: ignore[attr-defined]
    told = personhood("keys", "rotate")
    assert f"the active key is {keys.key_id}" in told
    assert "4 records were sealed anew" in told


def test_the_schema_is_told_and_moved_both_ways(home: Path) -> None:
    head = schema.head_revision()
    assert personhood("db", "current") == f"schema none, this version needs {head}\n"
    assert personhood("db", "upgrade") == f"schema {head}, this version needs {head}\n"
    enroll(2)
    told = personhood("db", "downgrade", "0001")
    assert f"kept in {home}/personhood.db.{head}.backup" in told
    with pytest.raises(DatabaseBehind, match="personhood db upgrade"):
        open_database(Settings())
    assert f"schema {head}" in personhood("db", "upgrade")
    enroll(2)  # the same requests get the answers that were kept
    assert re.search(r"active +2 records", personhood("keys", "status"))


def test_the_schema_is_not_moved_under_a_running_service(home: Path) -> None:
    enroll(1)
    engine = create_engine(f"sqlite:///{home}/personhood.db")
    with Ownership(engine), pytest.raises(GalleryOwned):
        personhood("db", "downgrade", "0001")
    engine.dispose()
