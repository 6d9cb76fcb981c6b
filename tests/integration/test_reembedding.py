"""Another model, from kept pictures: as `personhood models reembed` does it."""

import shutil
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner

from enrollment.examination import Examiner
from enrollment.face_models import open_models
from enrollment.kept import Consent
from enrollment.packs import load_pack
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose
from enrollment.rows import EnrollmentRequest
from enrollment.store import EnrollmentStore
from personhood.cli import app
from personhood.database import open_database
from personhood.keys import template_keys
from personhood.registers import open_journal
from personhood.settings import Settings
from tests.models import CACHE, opencv_pack
from tests.photographs import another_exposure, as_jpeg, astronaut, person_of_six
from uniqueness.census import people_by_models
from uniqueness.decision import Decision
from uniqueness.errors import ModelMismatch
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.store import GalleryStore
from uniqueness.template import Probe

pytestmark = pytest.mark.slow


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The default pack's files again as a pack of BGR: a model that sees differently."""
    directory = tmp_path / "bgr"
    shutil.copytree(opencv_pack().directory, directory)
    text = (resources.files("enrollment") / "packs" / "opencv.toml").read_text()
    (directory / "manifest.toml").write_text(
        text.replace('"RGB"', '"BGR"').replace('"opencv"', '"bgr"')
    )
    return directory


def enroll_three(settings: Settings) -> None:
    """Two people let pictures be kept, one does not."""
    engine, keyring = open_database(settings), template_keys(settings)
    pack = load_pack("opencv", CACHE)
    indexes = {pack.manifest.model: FaissFlatIndex(pack.manifest.embedding_size)}
    store = EnrollmentStore(engine, keyring, open_journal(settings, engine))
    gallery_store = GalleryStore(engine, keyring)
    with Gallery.open(gallery_store, indexes, pack.manifest.thresholds) as gallery:
        service = EnrollmentService(Examiner(open_models([pack])), gallery, store)
        kept = frozenset({Consent.ENROLLED})
        people = (astronaut(), kept), (person_of_six(1), kept), (person_of_six(2), frozenset())
        for number, (photograph, consents) in enumerate(people, 1):
            request = EnrollmentRequest(f"key {number}", "", number, consents=consents)
            service.enroll(request, [as_jpeg(photograph)], [Pose.FRONT])
    engine.dispose()


def reembed() -> str:
    result = CliRunner().invoke(app, ["models", "reembed"], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_people_with_kept_pictures_are_found_by_the_new_model_alone(
    tmp_path: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path / "home"))
    enroll_three(Settings())
    monkeypatch.setenv("PERSONHOOD_MODEL_PACK", str(other))
    with pytest.raises(ModelMismatch):
        reembed()
    monkeypatch.setenv("PERSONHOOD_RETIRING_PACK", "opencv")
    assert "2 made, 0 had one, 1 without pictures, 0 refused" in reembed()
    assert "0 made, 2 had one, 1 without pictures, 0 refused" in reembed()

    settings = Settings()
    new, old = load_pack(str(other), CACHE), load_pack("opencv", CACHE)
    engine = open_database(settings)
    with engine.connect() as connection:
        counted = people_by_models(connection)
    models = {old.manifest.model, new.manifest.model}
    assert counted == {frozenset(models): 2, frozenset({old.manifest.model}): 1}
    store = GalleryStore(engine, template_keys(settings))
    (vector,) = (
        Examiner(open_models([new]))
        .examine([as_jpeg(another_exposure(astronaut()))], [Pose.FRONT])
        .templates
    )
    index = FaissFlatIndex(new.manifest.embedding_size)
    for chunk in store.templates(after=0, until=store.head().last_sequence):
        made = chunk[new.manifest.model]
        index.add(made.sequences, made.vectors)
    found = index.search(Probe((vector,)).templates[0].vector[None], 1, floor=-1.0)
    assert float(found.scores[0, 0]) >= new.manifest.thresholds.duplicate
    assert new.manifest.thresholds.decide(float(found.scores[0, 0])) is Decision.DUPLICATE
    engine.dispose()
