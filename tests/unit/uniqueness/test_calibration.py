"""Thresholds that follow the gallery, and the file that carries them."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.uniqueness.synthetic import MODEL, people_of
from uniqueness.calibration import Calibration, CalibrationData, Targets
from uniqueness.calibration_file import public_key_of, read_calibration, write_calibration
from uniqueness.comparisons import compare, cosine_rows
from uniqueness.decision import ThresholdPolicy
from uniqueness.errors import (
    CalibrationImpossible,
    CalibrationOfOtherModel,
    CalibrationSignatureWrong,
    CalibrationUnreadable,
    CalibrationVersionUnknown,
)
from uniqueness.fusion import Fusion, Rule
from uniqueness.llr import LlrMap
from uniqueness.miss_rates import MissRates
from uniqueness.score_model_fit import FEWEST_COUNTED, fit_impostors

KEY = bytes(range(32))
PUBLIC_KEY = public_key_of(KEY)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    """300 people whose second photographs score about .6, where strangers hardly come."""
    vectors, people = people_of(300, 2, noise=0.8)
    compared = compare(cosine_rows(vectors), people)
    return Calibration(
        models=(MODEL,),
        fusion=None,
        targets=Targets(duplicate_fpir=0.001, review_fpir=0.01, max_fnir=0.05),
        data=CalibrationData(
            digest="0" * 64,
            date="2026-01-31",
            photographs=600,
            people=300,
            impostor_pairs=compared.impostor_pairs,
            genuine_pairs=compared.genuine.size,
            counted_rate=FEWEST_COUNTED / compared.impostor_pairs,
        ),
        impostors=fit_impostors(compared, replicates=20).model,
        misses=MissRates.count(compared),
    )


def test_targets_in_their_order():
    for wrong in [(0.0, 0.01, 0.05), (0.02, 0.01, 0.05), (0.01, 0.2, 0.05), (0.01, 0.01, 1.0)]:
        with pytest.raises(CalibrationImpossible):
            Targets(*wrong)


def test_within_the_safe_population_every_target_holds(calibration: Calibration):
    policy: ThresholdPolicy = calibration
    safe = policy.safe_population
    assert safe is not None
    assert safe > 10
    for size in (safe // 10, safe // 2, safe):
        expected = calibration.expected(size)
        assert expected.holds_targets
        assert expected.review_fpir.estimate <= 0.0101
        assert expected.duplicate_fpir.estimate <= 0.00101
        assert expected.missed.estimate <= 0.05
        assert (
            expected.review_fpir.low <= expected.review_fpir.estimate <= expected.review_fpir.high
        )


def test_the_safe_population_has_an_interval(calibration: Calibration):
    low, high = calibration.safe_population_interval
    assert 0 < low < calibration.safe_population < high


def test_beyond_it_more_go_to_review_and_no_more_are_missed(calibration: Calibration):
    safe = calibration.safe_population
    at_safe, beyond = calibration.expected(safe), calibration.expected(100 * safe)
    assert not beyond.holds_targets
    assert beyond.missed.estimate <= 0.05
    assert beyond.review_fpir.estimate > 0.01
    assert beyond.thresholds.review == pytest.approx(at_safe.thresholds.review, abs=0.01)
    assert beyond.thresholds.duplicate > at_safe.thresholds.duplicate
    assert beyond.duplicate_fpir.estimate <= 0.001


def test_thresholds_only_rise(calibration: Calibration):
    sizes = [0, 1, 7, 99, 100, 101, 1234, 99_999, 10**6, 10**8]
    by_size = [calibration.at(size) for size in sizes]
    assert [t.review for t in by_size] == sorted(t.review for t in by_size)
    assert [t.duplicate for t in by_size] == sorted(t.duplicate for t in by_size)


def test_a_size_is_rounded_up_so_that_a_decision_waits_for_no_search(calibration: Calibration):
    assert calibration.at(12_301) is calibration.at(13_000)
    assert calibration.at(12_000) is not calibration.at(12_001)


def test_extrapolation_is_said(calibration: Calibration):
    assert calibration.expected(10**6).extrapolated
    assert not calibration.is_counted(10**6)
    counted = calibration.measured_population
    assert calibration.is_counted(counted)
    assert not calibration.is_counted(2 * counted + 2)


def test_misses_that_can_never_be_few_enough_leave_no_safe_population(calibration: Calibration):
    strict = dataclasses.replace(calibration, targets=Targets(0.001, 0.01, 1e-6))
    lowest = strict.misses.scores[0]
    blurred = dataclasses.replace(
        strict,
        misses=MissRates(np.append(-1.0, strict.misses.scores), np.append(0.1, np.ones(300)), 300),
    )
    assert blurred.safe_population == 0
    assert blurred.at(1000).review == -1.0
    assert strict.at(10**9).review == lowest


@pytest.fixture
def written(calibration: Calibration, tmp_path: Path) -> Path:
    path = tmp_path / "calibration.json"
    write_calibration(path, calibration, KEY)
    return path


def test_what_is_read_is_what_was_written(calibration: Calibration, written: Path):
    again = read_calibration(written, PUBLIC_KEY, [MODEL])
    assert again.targets == calibration.targets
    assert again.data == calibration.data
    assert again.impostors.replicates == calibration.impostors.replicates
    for size in (1, 1000, 10**6):
        assert again.expected(size) == calibration.expected(size)
    assert again.safe_population == calibration.safe_population
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.parametrize("rule", Rule)
def test_a_fusion_travels_with_its_maps(calibration: Calibration, tmp_path: Path, rule: Rule):
    models = ("first:1", "second:1")
    fusion = Fusion(models, (LlrMap(20.0, -8.0), LlrMap(30.5, -9.25)), rule)
    fused = dataclasses.replace(calibration, models=models, fusion=fusion)
    write_calibration(tmp_path / "fused.json", fused, KEY)
    assert read_calibration(tmp_path / "fused.json", PUBLIC_KEY, models).fusion == fusion


def test_another_model_is_refused(written: Path):
    with pytest.raises(CalibrationOfOtherModel, match="other:2"):
        read_calibration(written, PUBLIC_KEY, ["other:2"])
    with pytest.raises(CalibrationOfOtherModel):
        read_calibration(written, PUBLIC_KEY, [MODEL, "other:2"])


def test_another_key_is_refused(written: Path):
    with pytest.raises(CalibrationSignatureWrong, match="another key"):
        read_calibration(written, public_key_of(bytes(32)), [MODEL])


def _raise_target(document: dict) -> None:
    document["calibration"]["targets"]["review_fpir"] = 0.1


def _claim_the_operators_key(document: dict) -> None:
    document["signature"] = "00" * 64


def _drop_signature(document: dict) -> None:
    del document["signature"]


@pytest.mark.parametrize("change", [_raise_target, _claim_the_operators_key, _drop_signature])
def test_a_changed_file_is_refused(written: Path, change: Callable[[dict], None]):
    document = json.loads(written.read_text())
    change(document)
    written.write_text(json.dumps(document))
    with pytest.raises(CalibrationSignatureWrong, match="changed"):
        read_calibration(written, PUBLIC_KEY, [MODEL])


def test_the_order_of_keys_does_not_matter_to_the_signature(written: Path):
    document = json.loads(written.read_text())
    written.write_text(json.dumps(document, sort_keys=True, indent=1))
    assert read_calibration(written, PUBLIC_KEY, [MODEL]).models == (MODEL,)


def test_another_version_is_refused(written: Path):
    document = json.loads(written.read_text()) | {"version": 2}
    written.write_text(json.dumps(document))
    with pytest.raises(CalibrationVersionUnknown, match="version 2"):
        read_calibration(written, PUBLIC_KEY, [MODEL])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "other"}'])
def test_what_is_no_calibration(tmp_path: Path, content: bytes):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CalibrationUnreadable):
        read_calibration(tmp_path / "file", PUBLIC_KEY, [MODEL])
    with pytest.raises(CalibrationUnreadable, match="cannot be read"):
        read_calibration(tmp_path / "missing", PUBLIC_KEY, [MODEL])


def test_signed_but_no_calibration(written: Path, monkeypatch: pytest.MonkeyPatch):
    """What a program with a fault in it would sign."""
    monkeypatch.setattr("uniqueness.calibration_file._to_json", lambda _: {"models": [MODEL]})
    write_calibration(written, None, KEY)  # type: ignore[arg-type]
    with pytest.raises(CalibrationUnreadable, match="signed but"):
        read_calibration(written, PUBLIC_KEY, [MODEL])
