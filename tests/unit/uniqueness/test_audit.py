import json

from tests.unit.uniqueness.synthetic import THRESHOLDS, at_cosine, people, probe
from uniqueness.audit import AuditReport
from uniqueness.decision import Thresholds


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
