"""`personhood review` and `personhood wallet delete`, as they are typed."""

import json
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from enrollment.errors import AdjudicatorMayNotVote
from enrollment.kept import Consent, Keepsakes
from enrollment.membership import MembershipHistory
from enrollment.packs import read_manifest
from enrollment.rows import Enrollment, EnrollmentRequest, EnrollmentStatus
from enrollment.store import EnrollmentStore
from personhood.cli import app
from personhood.database import open_database
from personhood.errors import ServiceUnreachable
from personhood.keys import template_keys
from personhood.picture_viewer import shown
from personhood.registers import open_journal
from personhood.settings import Settings
from tests.unit.uniqueness.synthetic import at_cosine, unit
from uniqueness.decision import Decision
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray, Probe, Template

MANIFEST = read_manifest("opencv")
BOTH = frozenset(Consent)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
    return tmp_path


def personhood(*arguments: str, typed: str = "") -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, input=typed)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def case() -> str:
    """Somebody is enrolled, somebody like them waits, in a database that no service uses."""
    settings = Settings()
    engine, keyring = open_database(settings), template_keys(settings)
    store = EnrollmentStore(engine, keyring, open_journal(settings, engine))
    first = unit(np.random.default_rng(1).normal(size=MANIFEST.embedding_size))
    limits = MANIFEST.thresholds
    like = at_cosine(first, (limits.review + limits.duplicate) / 2, seed=2)
    indexes = {MANIFEST.model: FaissFlatIndex(MANIFEST.embedding_size)}
    with Gallery.open(GalleryStore(engine, keyring), indexes, limits) as gallery:
        accepted, found = enroll(store, gallery, first, 1)
        store.settle(accepted, EnrollmentStatus.ACCEPTED, found.person)
        waiting, found = enroll(store, gallery, like, 2)
        assert found.decision is Decision.REVIEW
        store.adjudicate(waiting, [found.person or 0])
    engine.dispose()
    return waiting.id


def enroll(store: EnrollmentStore, gallery: Gallery, vector: FloatArray, number: int):
    probe = Probe((Template(vector, MANIFEST.model),))
    request = EnrollmentRequest(f"key {number}", "digest", number, consents=BOTH)
    keepsakes = Keepsakes((b"picture %d" % number,), probe)
    enrollment: Enrollment = store.reserve(request, keepsakes)
    return enrollment, gallery.identify_and_enroll(probe, request.idempotency_key)


def test_two_people_decide_on_the_command_line(case: str) -> None:
    (told,) = json.loads(personhood("review", "list", "--json"))
    assert (told["case"], told["votes"]) == (case, 0)
    with pytest.raises(AdjudicatorMayNotVote):
        personhood("review", "decide", case, "different", "--as", "Ada")
    for name in ("Ada", "Ben"):
        said = personhood("review", "show", case, "--as", name, "--no-browser", typed="\n")
        assert re.search(r"http://127.0.0.1:\d+/\S{30,}", said)
        said = personhood("review", "decide", case, "different", "--as", name)
    assert "decided: different" in said
    assert case not in personhood("review", "list")
    settings = Settings()
    engine = open_database(settings)
    assert MembershipHistory(engine).accepted_commitments() == [1, 2]
    assert GalleryStore(engine, template_keys(settings)).head().people == 2
    engine.dispose()


def test_a_rotation_covers_what_is_kept(case: str) -> None:
    # a template, two verdicts, a link; pictures of both, the template and candidates of one
    assert "8 records were sealed anew" in personhood("keys", "rotate")
    assert "8 records" in personhood("keys", "status")
    personhood("review", "show", case, "--as", "Ada", "--no-browser", typed="\n")


def test_pictures_are_shown_under_one_address_and_no_longer_than_they_are_looked_at() -> None:
    with shown("Review <1>", {"one & two": [b"JPEG"]}) as address:
        page = httpx.get(address)
        assert page.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "data:image/jpeg;base64,SlBFRw==" in page.text
        assert "one &amp; two" in page.text
        assert httpx.get(address + "x").status_code == 404
        assert httpx.get(address.rsplit("/", 1)[0] + "/").status_code == 404
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_deletion_is_asked_for_twice_and_says_when_nobody_answers(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONHOOD_WALLET_PASSWORD", "password")
    personhood("wallet", "new")
    declined = CliRunner().invoke(app, ["wallet", "delete"], input="n\n")
    assert declined.exit_code == 1
    with pytest.raises(ServiceUnreachable):
        personhood("wallet", "delete", "--yes", "--service", "http://127.0.0.1:1")
    assert (home / "wallet.json").exists()
