"""Two models look at every photograph, and one calibration decides by both."""

import shutil
from importlib import resources
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from enrollment.examination import Examiner
from enrollment.face_models import open_models
from enrollment.packs import load_packs, read_manifest
from enrollment.pose import Pose
from personhood.app import open_service
from personhood.errors import CalibrationMissing
from personhood.policy import decision_rule, operator_key
from personhood.settings import Settings
from tests.models import CACHE, opencv_pack
from tests.photographs import another_exposure, as_jpeg, astronaut, person_of_six
from tests.unit.uniqueness.synthetic import people_of
from uniqueness.calibration import Targets
from uniqueness.calibration_file import write_calibration
from uniqueness.decision import Decision
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.measurement import measure
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import Probe

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The default pack, and its files again as a pack of BGR: two models that see differently."""
    other = tmp_path / "bgr"
    shutil.copytree(opencv_pack().directory, other)
    text = (resources.files("enrollment") / "packs" / "opencv.toml").read_text()
    (other / "manifest.toml").write_text(
        text.replace('"RGB"', '"BGR"').replace('"opencv"', '"bgr"')
    )
    return Settings(
        home=tmp_path / "home",
        model_pack=f"opencv+{other}",
        calibration=tmp_path / "calibration.json",
        cache=CACHE.parent,
    )


def calibrate(settings: Settings) -> None:
    """Sign thresholds of made scores for the settings' models."""
    models = [pack.manifest.model for pack in load_packs(settings.model_pack, CACHE)]
    vectors, people = people_of(150, 2, noise=1.5)
    measured = measure(
        models, [vectors, vectors], people, targets=Targets(), digest="", replicates=2
    )
    assert settings.calibration is not None
    write_calibration(settings.calibration, measured.calibration, operator_key(settings))


def test_a_person_is_found_again_by_both_models(settings: Settings, tmp_path: Path) -> None:
    calibrate(settings)
    packs = load_packs(settings.model_pack, CACHE)
    manifests = [pack.manifest for pack in packs]
    assert manifests[1] != read_manifest("opencv")
    rule = decision_rule(settings, manifests)
    examiner = Examiner(open_models(packs))
    indexes = {m.model: FaissFlatIndex(m.embedding_size) for m in manifests}
    store = GalleryStore(create_engine(f"sqlite:///{tmp_path}/fused.db"), Keyring(b"k" * 32))
    with Gallery.open(store, indexes, rule.policy, fusion=rule.fusion) as gallery:
        decisions = [
            gallery.identify_and_enroll(
                Probe(examiner.examine([as_jpeg(photograph)], [Pose.FRONT]).templates), str(number)
            ).decision
            for number, photograph in enumerate(
                [astronaut(), person_of_six(4), another_exposure(astronaut())]
            )
        ]
    assert decisions[:2] == [Decision.UNIQUE, Decision.UNIQUE]
    assert decisions[2] is not Decision.UNIQUE


def test_the_service_opens_with_the_calibration_and_not_without(settings: Settings) -> None:
    with (
        pytest.raises(CalibrationMissing),
        open_service(settings.model_copy(update={"calibration": None})),
    ):
        pass
    calibrate(settings)
    with open_service(settings) as service:
        assert service.title
