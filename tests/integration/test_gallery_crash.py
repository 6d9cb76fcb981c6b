"""kill -9 at each step of a batch, of a snapshot, of a rotation: what was answered stands."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, select

from tests.integration.crashing_gallery import (
    MODEL,
    PEOPLE,
    POINTS,
    open_gallery,
    requests,
)
from tests.postgres import empty_schema
from tests.unit.uniqueness.synthetic import probe
from uniqueness.decision import Decision
from uniqueness.gallery import Gallery
from uniqueness.schema import TemplateRow, VerdictRow

pytestmark = pytest.mark.slow
LAST = 2**31  # no number is as large
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/gallery.db"
        return
    with empty_schema(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.mark.parametrize("point", POINTS)
def test_after_a_power_cut_database_and_index_agree(url: str, tmp_path: Path, point: str) -> None:
    answered = enroll_until_killed(url, tmp_path, point)
    committed = committed_requests(url)
    assert set(answered) <= committed

    with open_gallery(url, tmp_path) as gallery:
        assert_index_is_the_database(gallery)
        for request_id, answer in answered.items():
            verdict = gallery.verdict(request_id)
            assert verdict is not None
            assert (verdict.decision, verdict.person) == answer
        stored = {request_id: gallery.verdict(request_id) for request_id in committed}
        # Every request is sent again, as a kiosk does that got no answer.
        final = {
            request_id: gallery.identify_and_enroll(sent, request_id)
            for request_id, sent in requests().items()
        }
        assert {request_id: final[request_id] for request_id in committed} == stored
        assert_everybody_is_in_once(gallery, final)
        assert_index_is_the_database(gallery)
    with open_gallery(url, tmp_path) as gallery:
        assert_everybody_is_in_once(gallery, final)
        assert_index_is_the_database(gallery)
    assert not list(tmp_path.glob("*.snapshot.*")) or "snapshot" in point


def enroll_until_killed(
    url: str, directory: Path, point: str
) -> dict[str, tuple[Decision, int | None]]:
    """The answers that were given before."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.integration.crashing_gallery", url, directory, point],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    answers = {}
    for line in process.stdout.splitlines():
        request_id, decision, person = line.split()
        answers[request_id] = Decision(decision), int(person)
    return answers


def committed_requests(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = set(connection.scalars(select(VerdictRow.request_id)))
    engine.dispose()
    return found


def assert_index_is_the_database(gallery: Gallery) -> None:
    """Look behind the gallery: the same templates, to the last bit, under the same numbers."""
    gallery.identify(probe(PEOPLE[0]))  # catches up, and waits for a snapshot that is written
    held = gallery._sequencer._replica.indexes[MODEL].state()
    chunks = [chunk[MODEL] for chunk in gallery._store.templates(after=0, until=LAST)]
    assert np.array_equal(held["ids"], np.concatenate([[], *(c.sequences for c in chunks)]))
    if chunks:
        assert np.array_equal(held["vectors"], np.concatenate([c.vectors for c in chunks]))


def assert_everybody_is_in_once(gallery: Gallery, answers: dict[str, object]) -> None:
    decisions = Counter(answer.decision for answer in answers.values())  # type: ignore[attr-defined]
    assert decisions == {Decision.UNIQUE: len(PEOPLE), Decision.DUPLICATE: len(PEOPLE)}
    assert len(gallery) == len(PEOPLE)
    for number, vector in enumerate(PEOPLE):
        found = gallery.identify(probe(vector))
        persons = {answers[f"{number}/{kind}"].person for kind in ("once", "again")}  # type: ignore[attr-defined]
        assert found.decision is Decision.DUPLICATE
        assert persons == {found.person}
    with gallery._store.engine.connect() as connection:
        assert len(connection.execute(select(TemplateRow.person)).all()) == len(PEOPLE)
