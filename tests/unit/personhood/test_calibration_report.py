"""What an operator reads: what was seen, what is suspected, what to expect."""

import json

import pytest

from enrollment.labelled import LabelledTemplates
from personhood.calibration_report import GALLERIES, CalibrationReport
from tests.unit.uniqueness.synthetic import MODEL, people_of
from uniqueness.calibration import Targets
from uniqueness.measurement import measure


@pytest.fixture(scope="module")
def report() -> CalibrationReport:
    vectors, people = people_of(150, 2, noise=0.8)
    vectors[10] = vectors[21]
    files = tuple(f"p{person:03}/{i}.jpg" for i, person in enumerate(people))
    labelled = LabelledTemplates((MODEL,), files, (vectors,), {"p000/x.jpg": "no_face"}, "ab" * 32)
    assert labelled.people.tolist() == people.tolist()
    measured = measure(
        labelled.models, labelled.vectors, labelled.people, targets=Targets(), digest="ab" * 32,
        replicates=5,
    )  # fmt: skip
    return CalibrationReport.of(labelled, measured)


def test_the_text_names_what_to_look_at(report: CalibrationReport) -> None:
    text = report.to_text()
    assert "300 photographs of 150 people" in text
    assert "1 no_face" in text
    assert "p005/10.jpg  p010/21.jpg" in text
    assert "--leave-out" in text
    assert f"safe population  {report.calibration.safe_population:,}" in text


def test_every_size_has_a_line_and_its_marks(report: CalibrationReport) -> None:
    lines = [line for line in report.to_text().splitlines() if line.count("%") >= 7]
    assert [line.split()[0] for line in lines] == [f"{size:,}" for size in GALLERIES]
    assert lines[-1].endswith("*~")


def test_the_json_has_all_of_it(report: CalibrationReport) -> None:
    found = json.loads(report.to_json())
    assert found["rejected"] == {"p000/x.jpg": "no_face"}
    assert found["suspected_same_person"][0] == ["p005/10.jpg", "p010/21.jpg", 1.0]
    assert found["data"]["digest"] == "ab" * 32
    assert len(found["expected"]) == len(GALLERIES)
    assert found["safe_population"] == report.calibration.safe_population


def test_long_lists_are_cut_in_the_text_alone(report: CalibrationReport) -> None:
    many = CalibrationReport(
        **(vars(report) | {"rejected": {f"p/{i}.jpg": "no_face" for i in range(50)}})
    )
    assert "and 47 more, see --report" in many.to_text()
    assert len(json.loads(many.to_json())["rejected"]) == 50
