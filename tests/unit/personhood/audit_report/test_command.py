"""`personhood audit report`, as an operator types it."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from enrollment.packs import read_manifests
from personhood.audit_report.document import read_report
from personhood.cli import app
from personhood.commands.audit_report import EXIT_DIFFERENT
from personhood.database import open_database
from personhood.errors import TrialMissing
from personhood.keys import template_keys
from personhood.registers import open_journal
from personhood.settings import Settings
from transparency.checkpoint import open_checkpoint
from transparency.entry import Kind
from transparency.merkle import verify_consistency
from uniqueness.errors import TrialUnreadable
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.store import GalleryStore
from uniqueness.template import Probe, Template


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def audit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)], catch_exceptions=False)


def enroll(first: int, count: int, rejections: int = 1) -> None:
    settings = Settings()
    (manifest,) = read_manifests(settings.model_pack)
    engine = open_database(settings)
    index = FaissFlatIndex(manifest.embedding_size)
    store = GalleryStore(engine, template_keys(settings))
    with Gallery.open(store, {manifest.model: index}, manifest.thresholds) as gallery:
        for number in range(first, first + count):
            vector = np.zeros(manifest.embedding_size, np.float32)
            vector[number] = 1.0
            gallery.identify_and_enroll(Probe((Template(vector, manifest.model),)), str(number))
    journal = open_journal(settings, engine)
    for _ in range(count):
        journal.record_alone(Kind.UNIQUE, kiosk="k1")
    for _ in range(rejections):
        journal.record_alone(Kind.REJECTED, reason="no_face", kiosk="k1")
    engine.dispose()


def test_a_report_is_written_and_made_again(tmp_path: Path) -> None:
    enroll(0, 30)
    done = audit("report", "--out", tmp_path / "first")
    assert done.exit_code == 0
    assert {path.name for path in (tmp_path / "first").iterdir()} == {
        "report.html",
        "report.pdf",
        "report.json",
        "report.csv",
    }
    enroll(30, 12)
    again = audit(
        "report", "--out", tmp_path / "again", "--compare", tmp_path / "first" / "report.json"
    )
    assert again.exit_code == 0, again.output
    assert "every other figure is the same" in again.output
    assert "outcomes: made from another state" not in again.output  # read up to the same entry
    assert "nearest: made from another state" in again.output


def test_the_checkpoint_of_a_report_is_the_logs(tmp_path: Path) -> None:
    enroll(0, 30)
    audit("report", "--out", tmp_path)
    enroll(30, 2)
    settings = Settings()
    journal = open_journal(settings, open_database(settings))
    note = read_report(tmp_path / "report.json")["checkpoint"]
    held = open_checkpoint(note, journal.verifier).checkpoint
    assert held.size == 31
    proof = journal.log.consistency(held.size, journal.log.size())
    verify_consistency(held.size, journal.log.size(), proof, held.root, journal.checkpoint().root)


def test_a_report_that_was_changed_is_found_out(tmp_path: Path) -> None:
    enroll(0, 40, rejections=20)
    audit("report", "--out", tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    report["sections"]["outcomes"]["outcomes"]["unique"] = 29
    (tmp_path / "forged.json").write_text(json.dumps(report))
    done = audit("report", "--out", tmp_path / "again", "--compare", tmp_path / "forged.json")
    assert done.exit_code == EXIT_DIFFERENT
    assert "outcomes outcomes.unique: 40 here, 29 there" in done.output


def test_a_trial_is_counted_or_refused(tmp_path: Path) -> None:
    enroll(0, 2)
    trial = tmp_path / "trial.csv"
    trial.write_text("measure,kind,errors,trials\nbpcer,,3,400\n")
    audit("report", "--out", tmp_path / "out", "--trial", trial)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["sections"]["error_rates"]["rates"][0]["trials"] == 400
    trial.write_text("measure\n")
    with pytest.raises(TrialUnreadable):
        audit("report", "--out", tmp_path / "out", "--trial", trial)
    with pytest.raises(TrialMissing):
        audit("report", "--out", tmp_path / "out", "--trial", tmp_path / "none.csv")


def test_the_audit_without_a_word_more_still_tells_the_counts() -> None:
    enroll(0, 3)
    assert "people enrolled  3" in audit().stdout
    told = json.loads(audit("--json").stdout)
    assert told["histograms"] == []
