"""kill -9 at each step of a key rotation: run again, it ends, and nobody was lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from enrollment.database import Database
from tests.integration.crashing_rotation import POINTS
from tests.postgres import empty_schema
from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, people, probe
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.key_files import KeyFiles
from uniqueness.rotation import key_use
from uniqueness.store import GalleryStore

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PEOPLE = people(10)


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where `personhood` finds a database, and its keys in files."""
    own = os.environ | {"PERSONHOOD_HOME": str(tmp_path)}
    if request.param == "sqlite":
        yield own | {"PERSONHOOD_DATABASE_URL": f"sqlite:///{tmp_path}/gallery.db"}
        return
    with empty_schema(request.getfixturevalue("postgres_url")) as url:
        yield own | {"PERSONHOOD_DATABASE_URL": url}


@pytest.mark.parametrize("point", POINTS)
def test_a_rotation_that_died_is_ended_by_the_next(
    environment: dict[str, str], tmp_path: Path, point: str
) -> None:
    engine = create_engine(environment["PERSONHOOD_DATABASE_URL"])
    Database(engine)  # enrolment's tables, which a rotation seals anew too
    keys = KeyFiles(tmp_path / "template.key")
    first = keys.key_id

    def open_gallery() -> Gallery:
        store = GalleryStore(engine, KeyFiles(keys.path))
        return Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS)

    def find_all() -> list[int | None]:
        with open_gallery() as gallery:
            verdicts = [gallery.verdict(str(number)) for number in range(len(PEOPLE))]
            found = [gallery.identify(probe(vector)).person for vector in PEOPLE]
        assert [verdict.person for verdict in verdicts if verdict] == found
        return found

    with open_gallery() as gallery, ThreadPoolExecutor(8) as pool:
        numbers = map(str, range(len(PEOPLE)))
        answers = pool.map(gallery.identify_and_enroll, map(probe, PEOPLE), numbers)
        persons = [answer.person for answer in answers]

    died = run(environment, "tests.integration.crashing_rotation", point)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert find_all() == persons

    ended = run(environment, "personhood", "keys", "rotate")
    assert ended.returncode == 0, ended.stderr
    assert f"{first}, {tmp_path}/template.key.retired/{first}, seals no record" in ended.stdout
    active = KeyFiles(keys.path).key_id
    assert key_use(engine).key_ids == {active} != {first}
    for retired in keys.retired_directory.iterdir():
        retired.unlink()
    assert find_all() == persons
    assert sorted(file.name for file in tmp_path.glob("template.key*") if file.is_file()) == [
        "template.key"
    ]
    engine.dispose()


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
