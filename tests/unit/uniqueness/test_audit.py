import json

from sqlalchemy import select

from tests.unit.uniqueness.conftest import KEY
from tests.unit.uniqueness.synthetic import (
    DIMENSION,
    MODEL,
    THRESHOLDS,
    at_cosine,
    people,
    probe,
)
from uniqueness.audit import AuditReport
from uniqueness.decision import Thresholds
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.matching import Matching
from uniqueness.requests import Enroll
from uniqueness.schema import OutcomeRow
from uniqueness.sealing import Keyring
from uniqueness.sequencer import Sequencer
from uniqueness.store import GalleryStore


class SafeForOne(Thresholds):
    @property
    def safe_population(self):
        return 1


def test_the_audit_counts_outcomes_reasons_and_binned_scores(open_gallery, engine, tmp_path):
    gallery, vectors = open_gallery(), people(3)
    for number, vector in enumerate(vectors):
        gallery.identify_and_enroll(probe(vector), str(number))
    gallery.identify_and_enroll(probe(at_cosine(vectors[0], 0.905)), "again")
    gallery.identify_and_enroll(probe(at_cosine(vectors[0], 0.655)), "alike")
    gallery.add_template(3, probe(at_cosine(vectors[2], 0.9)), "more")
    gallery.remove(3)
    gallery.record_rejection("no_face")
    gallery.record_rejection("no_face")
    report = AuditReport.read(engine, SafeForOne(0.6, 0.7))
    assert report.people_enrolled == 2
    assert "safe population  1: the error rates are not known any more" in report.to_text()
    assert report.people_by_models == {"synthetic:1": 2}
    assert report.outcomes == {
        "duplicate": 1,
        "rejected": 2,
        "removed": 1,
        "review": 1,
        "template_added": 1,
        "unique": 3,
    }
    assert report.rejections == {"no_face": 2}
    counts = {histogram.outcome: histogram.counts for histogram in report.histograms}
    assert counts["duplicate"] == {90: 1}
    assert counts["review"] == {65: 1}
    assert sum(counts["unique"].values()) == 2  # the first had nobody to be compared with
    assert "no_face" in report.to_text()
    assert json.loads(report.to_json())["people_enrolled"] == 2
    report.plot(tmp_path / "plot.png", THRESHOLDS)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_audit_of_an_empty_gallery_is_a_report_too(engine, tmp_path):
    report = AuditReport.read(engine)
    assert (report.people_enrolled, report.outcomes, report.histograms) == (0, {}, ())
    assert "none" in report.to_text()
    report.plot(tmp_path / "plot.png")


def test_what_leaves_is_of_a_thousand_probes_or_more(engine, open_gallery, monkeypatch):
    monkeypatch.setattr("uniqueness.tally.BLOCK_PEOPLE", 4)
    monkeypatch.setattr("uniqueness.metrics.release.FEWEST_SAMPLES", 6)
    gallery = open_gallery()
    for number, vector in enumerate(people(11)):
        gallery.identify_and_enroll(probe(vector), str(number))
    report = AuditReport.read(engine)
    (histogram,) = report.histograms
    assert [sum(block.values()) for block in histogram.blocks.values()] == [3, 4, 3]
    assert report.open_block == 2
    (released,) = report.for_release().histograms
    assert sum(released.counts.values()) == 7
    monkeypatch.setattr("uniqueness.metrics.release.FEWEST_SAMPLES", 8)
    assert report.for_release().histograms == ()
    assert "best score" not in report.for_release().to_text()


def test_who_resembles_somebody_of_the_same_moment_is_told_apart(engine):
    matching = Matching({MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS)
    sequencer, (vector,) = Sequencer(GalleryStore(engine, Keyring(KEY)), [matching]), people(1)
    sequencer.process([Enroll(probe(vector), name) for name in ("a", "b", "c")])
    sequencer.process([Enroll(probe(vector), "later")])
    with engine.connect() as connection:
        query = select(OutcomeRow.outcome, OutcomeRow.reason).order_by(OutcomeRow.sequence)
        assert connection.execute(query).all() == [
            ("unique", ""),
            ("duplicate", "same_batch"),
            ("duplicate", "same_batch"),
            ("duplicate", ""),
        ]


def test_who_resembles_more_than_were_asked_for_is_counted(engine, open_gallery):
    gallery, (center,) = open_gallery(), people(1)
    crowd = [probe(at_cosine(center, 0.76, seed=seed)) for seed in range(20)]
    gallery.identify_and_enroll(crowd[0], "0")
    for number, another in enumerate(crowd[1:], 1):
        gallery.add_template(1, another, str(number))
    assert "saturated" not in AuditReport.read(engine).outcomes
    gallery.identify_and_enroll(probe(center), "center")
    assert AuditReport.read(engine).outcomes["saturated"] == 1
