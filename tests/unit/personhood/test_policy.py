"""The service decides by the operator's calibration, or by the pack's own thresholds."""

from pathlib import Path

import numpy as np
import pytest

from enrollment.packs import read_manifests
from personhood.errors import CalibrationMissing, FacesUnusable, KeyUnusable
from personhood.leave_out import LeaveOut, read_leave_out
from personhood.policy import decision_rule, operator_key, operator_public_key
from personhood.settings import Settings
from tests.unit.uniqueness.synthetic import people_of
from uniqueness.calibration import Targets
from uniqueness.calibration_file import public_key_of, write_calibration
from uniqueness.errors import CalibrationOfOtherModel, CalibrationSignatureWrong
from uniqueness.measurement import measure


def calibrated(tmp_path: Path, pack: str, home: str = "home") -> Settings:
    """Settings with a calibration of synthetic scores, signed by the home's own key."""
    settings = Settings(
        home=tmp_path / home, calibration=tmp_path / "calibration.json", model_pack=pack
    )
    models = [manifest.model for manifest in read_manifests(pack)]
    vectors, people = people_of(120, 2, noise=0.8)
    measured = measure(
        models, [vectors] * len(models), people, targets=Targets(), digest="", replicates=2
    )
    write_calibration(tmp_path / "calibration.json", measured.calibration, operator_key(settings))
    return settings


def test_without_a_calibration_the_packs_thresholds_decide(tmp_path: Path) -> None:
    manifests = read_manifests("opencv")
    rule = decision_rule(Settings(home=tmp_path), manifests)
    assert rule.policy is manifests[0].thresholds
    assert rule.fusion is None


def test_a_calibration_decides_by_the_gallerys_size(tmp_path: Path) -> None:
    rule = decision_rule(calibrated(tmp_path, "opencv"), read_manifests("opencv"))
    assert rule.fusion is None
    assert rule.policy.at(10**6).duplicate > rule.policy.at(1000).duplicate
    assert rule.policy.safe_population is not None


def test_several_models_need_a_calibration_and_get_its_fusion(tmp_path: Path) -> None:
    manifests = read_manifests("opencv+edgeface")
    with pytest.raises(CalibrationMissing, match="personhood calibrate"):
        decision_rule(Settings(home=tmp_path, model_pack="opencv+edgeface"), manifests)
    rule = decision_rule(calibrated(tmp_path, "opencv+edgeface"), manifests)
    assert rule.fusion is not None
    assert rule.fusion.models == tuple(manifest.model for manifest in manifests)


def test_another_packs_calibration_is_refused(tmp_path: Path) -> None:
    settings = calibrated(tmp_path, "opencv")
    with pytest.raises(CalibrationOfOtherModel):
        decision_rule(settings, read_manifests("edgeface"))


def test_a_machine_that_only_serves_has_the_public_key_alone(tmp_path: Path) -> None:
    settings = calibrated(tmp_path, "opencv")
    elsewhere = Settings(home=tmp_path / "elsewhere", calibration=settings.calibration)
    with pytest.raises(CalibrationSignatureWrong, match="another key"):
        decision_rule(elsewhere, read_manifests("opencv"))
    public = public_key_of(operator_key(settings)).hex()
    (tmp_path / "elsewhere" / "operator.pub").write_text(f"{public}\n")
    (tmp_path / "elsewhere" / "operator.key").unlink()
    assert decision_rule(elsewhere, read_manifests("opencv")).policy.at(1000)
    assert not (tmp_path / "elsewhere" / "operator.key").exists()


def test_the_operators_key_is_private_and_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert operator_key(settings) == operator_key(settings)
    assert (tmp_path / "operator.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "operator.pub").write_text("no key")
    with pytest.raises(KeyUnusable, match=r"operator\.pub"):
        operator_public_key(settings)


def test_what_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "Ann").mkdir()
    (tmp_path / "Ann" / "a 1.jpg").write_bytes(b"")
    (tmp_path / "list").write_text(
        "# looked at\nBob Robert  # brothers? no\n\nAnn/a 1.jpg\nBo B\tRo Bert\n"
    )
    left = read_leave_out(tmp_path / "list", tmp_path)
    assert left.photographs == {"Ann/a 1.jpg"}
    assert left.pairs == {frozenset({"Bob", "Robert"}), frozenset({"Bo B", "Ro Bert"})}
    assert left.pairs_among(["Ann", "Bob", "Robert"]) == [frozenset({1, 2})]
    assert left.digest_with("ab") != LeaveOut().digest_with("ab") != "ab"
    assert read_leave_out(None, tmp_path) == LeaveOut()


@pytest.mark.parametrize("line", ["Ann/b.jpg", "Bob", "Bob Bob", "a b c"])
def test_a_line_that_is_neither(tmp_path: Path, line: str) -> None:
    (tmp_path / "list").write_text(f"Bob Robert\n{line}\n")
    with pytest.raises(FacesUnusable, match="line 2"):
        read_leave_out(tmp_path / "list", tmp_path)


def test_the_projects_own_list_is_one() -> None:
    root = Path(__file__).parents[3]
    left = read_leave_out(root / "benchmarks" / "lfw_label_errors.txt", root)
    assert len(left.pairs) == 12
    assert not left.photographs
    assert np.all([len(pair) == 2 for pair in left.pairs])
